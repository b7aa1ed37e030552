"""What is made of queued invitations."""

import re

from bson import ObjectId

from crmapp.accounts import users
from crmapp.accounts.users import Role
from crmapp.invitations.letter import compose, new_mail
from crmapp.invitations.links import open_link
from crmapp.mailqueue.letter import Letter, Unneeded


def test_each_mail_gets_its_own_letter_or_the_reason_why_not(app, db):
    people = [
        users.new_user(f"{name.lower()}@example.com", name, Role.USER)
        for name in ("Ivy", "Joe <b>", "Dan")
    ]
    db.users.insert_many(people)
    db.users.update_one({"_id": people[2]["_id"]}, {"$set": {"status": "active"}})
    gone = {"_id": ObjectId(), "email": "gone@example.com"}
    mails = [new_mail(person, None) for person in (*people, gone)]
    letters = dict(compose(db, mails))
    first, second, third, fourth = (letters[mail["_id"]] for mail in mails)
    assert isinstance(first, Letter)
    assert (first.recipient, first.subject) == ("ivy@example.com", "Your account is ready")
    token = re.search(r"/invitation/(\S+)", first.text)[1]
    assert open_link(db, token)[0].email == "ivy@example.com"
    assert f"/invitation/{token}" in first.html
    assert "Joe <b>" in second.text
    assert "Joe &lt;b&gt;" in second.html
    assert isinstance(third, Unneeded)
    assert "needs no invitation" in str(third)
    assert isinstance(fourth, Unneeded)
    assert "was removed" in str(fourth)


def test_one_that_cannot_be_made_does_not_hold_up_the_others(app, db):
    people = [users.new_user(f"p{number}@example.com", "P", Role.USER) for number in range(2)]
    db.users.insert_many(people)
    db.users.update_one({"_id": people[0]["_id"]}, {"$unset": {"inviteNonce": 1}})
    broken, fine = [new_mail(person, None) for person in people]
    letters = dict(compose(db, [broken, fine]))
    assert isinstance(letters[broken["_id"]], KeyError)
    assert isinstance(letters[fine["_id"]], Letter)
