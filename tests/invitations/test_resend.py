"""Sending an invitation again, and to another address, as an administrator asks for it."""

import threading

import pytest
from bson import ObjectId

from crmapp.invitations import resend
from tests.mailqueue.desk import events, failed, note_sent, pending


@pytest.fixture
def reissue(api):
    return lambda person: api.post(f"/crm/users/{person['_id']}/invitation", {})


@pytest.fixture
def correct(api):
    """Corrects the address of a failed mail."""

    def send(mail, email):
        return api.client.patch(
            f"/crm/email-queue/failed/{mail['_id']}", headers=api.headers, json={"email": email}
        )

    return send


def stored(db, person):
    return db.users.find_one({"_id": person["_id"]})


def test_a_new_invitation_is_queued_and_the_old_link_is_useless(
    db, reissue, invited, link_of, visitor, admin
):
    old = link_of(invited)
    answer = reissue(invited).json["data"]
    assert answer["outcome"] == "queued"
    assert "on its way" in answer["msg"]
    (mail,) = db.pending_emails.find()
    assert (mail["email"], mail["userId"]) == ("ivy@example.com", invited["_id"])
    assert mail["sessionId"] is None
    assert events(db, "requeued")[0]["by"]["name"] == admin.email
    assert "newer" in visitor.get(old).text
    assert visitor.get(link_of(invited)).status_code == 200


def test_while_one_waits_nothing_new_is_made(db, reissue, invited, link_of, visitor):
    mail = pending(db, userId=invited["_id"])
    answer = reissue(invited).json["data"]
    assert answer["outcome"] == "already_waiting"
    assert db.pending_emails.distinct("_id") == [mail["_id"]]
    assert stored(db, invited)["inviteNonce"] == invited["inviteNonce"]


def test_the_one_that_failed_is_tried_again(db, reissue, invited):
    dropped = failed(db, userId=invited["_id"], dropped=True)
    mail = failed(db, userId=invited["_id"])
    assert reissue(invited).json["data"]["outcome"] == "requeued"
    assert db.pending_emails.distinct("_id") == [mail["_id"]]
    assert db.failed_emails.distinct("_id") == [dropped["_id"]]
    assert stored(db, invited)["inviteNonce"] != invited["inviteNonce"]


def test_one_that_was_sent_after_all_does_not_stand_in_the_way(db, reissue, invited):
    mail = failed(db, userId=invited["_id"])
    note_sent(db, mail)
    assert reissue(invited).json["data"]["outcome"] == "queued"
    assert mail["_id"] not in db.pending_emails.distinct("_id")


def test_two_administrators_at_once_queue_one(db, app, invited):
    together, outcomes = threading.Barrier(4), []

    def press():
        with app.app_context():
            together.wait()
            outcomes.append(resend.reissue(db, invited["_id"], {"id": None, "name": "x"}))

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["already_waiting"] * 3 + ["queued"]
    assert db.pending_emails.count_documents({}) == 1


def test_who_needs_none_gets_none(db, reissue, invited):
    db.users.update_one({"_id": invited["_id"]}, {"$set": {"status": "active"}})
    answer = reissue(invited)
    assert answer.status_code == 409
    assert "has chosen a password already" in answer.json["msg"]
    assert reissue({"_id": ObjectId()}).status_code == 404
    assert reissue({"_id": "nonsense"}).status_code == 404
    assert db.pending_emails.count_documents({}) == 0


def test_a_corrected_address_is_the_users_and_the_leads(
    db, correct, invited, link_of, visitor, admin
):
    old = link_of(invited)
    mail = failed(db, "ivy@exmaple.com", userId=invited["_id"], attempts=4)
    answer = correct(mail, " Ivy@Example.ORG ")
    assert answer.json["data"]["email"] == "ivy@example.org"
    (queued,) = db.pending_emails.find()
    assert (queued["_id"], queued["email"]) == (mail["_id"], "ivy@example.org")
    assert (queued["attempts"], queued["sessionId"]) == (0, mail["sessionId"])
    assert db.failed_emails.count_documents({}) == 0
    assert stored(db, invited)["email"] == "ivy@example.org"
    assert db.leads.find_one({"_id": invited["leadId"]})["email"] == "ivy@example.org"
    assert visitor.get(old).status_code == 410
    assert visitor.get(link_of(invited)).status_code == 200
    (event,) = events(db, "corrected")
    assert event["reply"] == "ivy@exmaple.com → ivy@example.org"
    assert (event["by"]["name"], event["email"]) == (admin.email, "ivy@example.org")


def test_an_address_that_cannot_be_used_changes_nothing(db, correct, invited, new_person):
    new_person("joe@example.com")
    mail = failed(db, userId=invited["_id"])
    for email, status, words in [
        ("nonsense", 400, "@-sign"),
        ("", 400, ""),
        ("Joe@example.com", 409, "Another user has the address joe@example.com"),
    ]:
        answer = correct(mail, email)
        assert answer.status_code == status, answer.text
        assert words in answer.json["msg"]
        assert len(answer.json["msg"].split()) > 3
    assert stored(db, invited) == invited
    assert list(db.failed_emails.find()) == [mail]
    assert db.leads.find_one({"_id": invited["_id"]})["email"] == "ivy@example.com"


@pytest.mark.parametrize(
    ("spoil", "status", "words"),
    [
        (lambda db, mail: db.failed_emails.delete_many({}), 404, "not among the failed ones"),
        (lambda db, mail: note_sent(db, mail), 409, "was sent in the meantime"),
        (lambda db, mail: pending(db, _id=mail["_id"]), 409, "is being tried again already"),
        (
            lambda db, mail: db.users.update_one(
                {"_id": mail["userId"]}, {"$set": {"status": "active"}}
            ),
            409,
            "has chosen a password already",
        ),
    ],
    ids=["gone", "sent", "queued", "accepted"],
)
def test_too_late_to_correct(db, correct, invited, spoil, status, words):
    mail = failed(db, userId=invited["_id"])
    spoil(db, mail)
    before = list(db.failed_emails.find()), list(db.pending_emails.find()), stored(db, invited)
    answer = correct(mail, "ivy@example.org")
    assert (answer.status_code, words in answer.json["msg"]) == (status, True), answer.text
    after = list(db.failed_emails.find()), list(db.pending_emails.find()), stored(db, invited)
    assert after == before
    assert events(db, "corrected") == []
