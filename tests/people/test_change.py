"""Changing one user: who may, and what it does."""

import threading

import pytest

from crmapp.accounts.users import Role
from crmapp.people import changes
from crmapp.people.verdicts import Refused
from tests.conftest import PASSWORD

OK, FORBIDDEN = 200, 403


@pytest.mark.parametrize(
    ("actor", "person", "body", "status"),
    [
        ("sue", "sam", {"role": "admin"}, OK),
        ("sue", "ann", {"role": "superadmin"}, OK),
        ("sue", "ann", {"status": "disabled"}, OK),
        ("sue", "ulf", {"role": "superadmin"}, OK),
        ("ann", "gil", {"role": "user"}, OK),
        ("ann", "ulf", {"role": "agent", "name": "Ulf the Great"}, OK),
        ("ann", "gil", {"status": "disabled"}, OK),
        ("ann", "gil", {"role": "admin"}, FORBIDDEN),
        ("ann", "gil", {"role": "superadmin"}, FORBIDDEN),
        ("ann", "abe", {"name": "Other"}, FORBIDDEN),
        ("ann", "abe", {"role": "agent"}, FORBIDDEN),
        ("ann", "sue", {"status": "disabled"}, FORBIDDEN),
        ("ann", "ann", {"role": "superadmin"}, FORBIDDEN),
        ("ann", "ann", {"name": "Anna"}, FORBIDDEN),
        ("sue", "sue", {"role": "user"}, FORBIDDEN),
        ("sue", "sue", {"status": "disabled"}, FORBIDDEN),
        ("gil", "ulf", {"name": "Other"}, FORBIDDEN),
        ("gil", "gil", {"role": "admin"}, FORBIDDEN),
    ],
)
def test_who_may_change_whom(office, new_api, patch, stored, actor, person, body, status):
    person = getattr(office, person)
    before = stored(person)
    answer = patch(new_api(getattr(office, actor)), person, **body)
    assert answer.status_code == status, answer.text
    after = stored(person)
    assert {name: after[name] for name in body} == (
        body if status == OK else {name: before[name] for name in body}
    )


def test_a_disabled_user_is_out_at_once_and_can_come_back(
    office, sue, patch, new_api, new_visitor, db
):
    gil, browser = new_api(office.gil), new_visitor()
    browser.sign_in("gil@example.com", PASSWORD)
    assert gil.get("/crm/leads").status_code == 200
    told = patch(sue, office.gil, status="disabled").json["data"]
    assert (told["status"], told["online"]) == ("disabled", False)
    gil.client.application.extensions["remembered"].clear()  # for a second, at most
    assert gil.get("/crm/leads").status_code == 401
    assert "/login" in browser.get("/crm/leads").location
    assert db.sessions.count_documents({"userId": office.gil.key}) == 0
    assert browser.sign_in("gil@example.com", PASSWORD).status_code == 401
    patch(sue, office.gil, status="active")
    assert gil.get("/crm/leads").status_code == 401  # an old session does not come back
    assert browser.sign_in("gil@example.com", PASSWORD).status_code == 302


def test_another_role_ends_the_sessions_and_another_name_does_not(office, sue, patch, new_api):
    gil = new_api(office.gil)
    patch(sue, office.gil, name="Gilbert", role="agent")
    assert gil.get("/crm/leads").status_code == 200
    patch(sue, office.gil, role="admin")
    gil.client.application.extensions["remembered"].clear()
    assert gil.get("/crm/leads").status_code == 401


def test_who_has_no_password_is_invited_again_when_enabled(office, sue, patch, stored):
    assert patch(sue, office.ivy, status="active").json["data"]["status"] == "invited"
    assert patch(sue, office.ivy, status="disabled").json["data"]["status"] == "disabled"
    assert patch(sue, office.ivy, status="active").json["data"]["status"] == "invited"
    assert stored(office.ivy)["status"] == "invited"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "Say what is to be changed"),
        ({"name": " "}, 422, "enter a name"),
        ({"name": 5}, 422, "must be text"),
        ({"name": "x" * 201}, 422, "longer than 200"),
        ({"role": "boss"}, 422, "must be one of superadmin, admin, agent, user"),
        ({"role": {"$ne": 1}}, 422, "must be text"),
        ({"status": "invited"}, 422, "must be one of active, disabled"),
        ({"email": "x@y.example"}, 400, "There is no field"),
        ({"passwordHash": "x"}, 400, "There is no field"),
    ],
)
def test_what_cannot_be_changed(office, sue, patch, stored, body, status, words):
    before = stored(office.gil)
    answer = patch(sue, office.gil, **body)
    assert (answer.status_code, words in answer.json["msg"]) == (status, True), answer.text
    assert stored(office.gil) == before


def test_a_user_who_is_not_there(sue):
    for user_id in ("5f0000000000000000000000", "nonsense"):
        answer = sue.client.patch(f"/crm/users/{user_id}", headers=sue.headers, json={"name": "X"})
        assert answer.status_code == 404


def test_of_two_superadmins_who_remove_each_other_one_stays(app, db, office, stored):
    for person, wanted in (
        (office.sam, {"role": Role.ADMIN}),
        (office.sam, {"status": "disabled"}),
    ):
        db.users.update_many(
            {"email": {"$in": ["sue@example.com", "sam@example.com"]}},
            {"$set": {"role": "superadmin", "status": "active"}},
        )
        together, refused = threading.Barrier(2), []

        def remove(actor, other, wanted=wanted, together=together, refused=refused):
            with app.app_context():
                together.wait()
                try:
                    changes.change(db, actor, other.key, wanted)
                except Refused as error:
                    refused.append(error.reason)

        pairs = ((office.sue, person), (person, office.sue))
        threads = [threading.Thread(target=remove, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refused == ["last_superadmin"]
        assert db.users.count_documents({"role": "superadmin", "status": "active"}) == 1


def test_the_last_active_superadmin_stays(app, db, office):
    """Sam was let in a moment ago, and is disabled by now."""
    changes.change(db, office.sue, office.sam.key, {"status": "disabled"})
    for wanted in ({"role": Role.ADMIN}, {"status": "disabled"}):
        with pytest.raises(Refused, match="last active superadmin"):
            changes.change(db, office.sam, office.sue.key, wanted)
    changes.change(db, office.sam, office.sue.key, {"name": "Susan"})


def test_only_who_may_change_a_user_sends_their_link_elsewhere(db, office, sue, ann_api):
    """A corrected address gets a link that opens the account."""
    db.users.update_one({"_id": office.ivy.key}, {"$set": {"role": "superadmin"}})
    mail = {"userId": office.ivy.key, "email": "ivy@example.com", "template": "invitation"}
    mail |= {"sessionId": None, "messageId": "<x>", "attempts": 1, "reason": "mailbox_unknown"}
    mail_id = db.failed_emails.insert_one(mail).inserted_id
    path, body = f"/crm/email-queue/failed/{mail_id}", {"email": "evil@example.com"}
    refused = ann_api.client.patch(path, headers=ann_api.headers, json=body)
    assert refused.status_code == 403
    assert db.users.find_one({"_id": office.ivy.key})["email"] == "ivy@example.com"
    assert ann_api.post(f"/crm/users/{office.ivy.id}/invitation", {}).status_code == 403
    assert sue.client.patch(path, headers=sue.headers, json=body).status_code == 200


def test_the_card_says_where_one_stands(office, sue, new_visitor):
    new_visitor().sign_in("gil@example.com", PASSWORD)
    told = sue.get(f"/crm/users/{office.gil.id}").json["data"]
    assert told["sessions"] == 1
    assert (told["person"]["mayChange"], told["person"]["you"]) == (True, False)


def test_the_audit_log_says_who_was_given_what(office, sue, patch, db):
    patch(sue, office.gil, role="admin", name="Gil")
    sue.post("/crm/users/bulk/disable", {"userIds": [office.ulf.id, office.sue.id]})
    patch(sue, office.gil, role="admin")  # so already
    changed, several, _ = db.audit.find().sort("_id", 1)
    assert (changed["target"], changed["details"]) == ("gil@example.com", {"role": "admin"})
    assert several["details"]["users"] == ["ulf@example.com"]
    assert several["details"]["name"] == "disable"
