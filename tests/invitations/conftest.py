"""An invited user, and what an administrator and they can do about the invitation."""

import pytest

from crmapp.accounts import tokens, users
from crmapp.accounts.users import Role
from crmapp.clock import now


@pytest.fixture
def invited(db, admin):
    """Ivy, who was a lead and has no password yet."""
    person = users.new_user("ivy@example.com", "Ivy", Role.USER)
    person |= {"leadId": person["_id"], "invitedBy": admin.key}
    person |= {"activationId": "activation_1700000000000_abcd"}
    db.users.insert_one(person)
    lead = {"_id": person["_id"], "name": "Ivy", "email": person["email"], "status": "active"}
    db.leads.insert_one({**lead, "createdAt": now()})
    return person


@pytest.fixture
def link_of(site, db):
    """The link that the user's newest invitation holds."""

    def make(person):
        nonce = db.users.find_one({"_id": person["_id"]})["inviteNonce"]
        with site.app_context():
            return f"/invitation/{tokens.sign_invitation(person['_id'], nonce)}"

    return make
