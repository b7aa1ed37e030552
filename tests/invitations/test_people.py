"""The page of one user."""

from bson import ObjectId

from crmapp.mailqueue import queue
from tests.mailqueue.desk import failed, pending


def test_who_they_are_and_what_became_of_their_mail(api, db, invited):
    mail = failed(db, userId=invited["_id"])
    db.events.insert_one(queue.event(mail, queue.MailEvent.FAILED, "550 No", "mailbox_unknown"))
    by = {"id": ObjectId(), "name": "bob@example.com"}
    db.events.insert_one(queue.event(mail, queue.MailEvent.REQUEUED, "tried again", by=by))
    db.events.update_many({"type": "failed"}, [{"$set": {"at": {"$subtract": ["$at", 1000]}}}])
    data = api.get(f"/crm/users/{invited['_id']}").json["data"]
    assert data["person"]["email"] == "ivy@example.com"
    assert (data["person"]["role"], data["person"]["status"]) == ("user", "invited")
    assert "inviteNonce" not in data["person"]
    assert data["invited_by"] == "Ann"
    told = [(event["type"], event["reply"], event["by"]) for event in data["timeline"]]
    assert told == [("requeued", "tried again", "bob@example.com"), ("failed", "550 No", None)]
    assert (data["waiting"], data["failed_mail"]) == (False, str(mail["_id"]))


def test_an_invitation_that_waits(api, db, invited, admin):
    pending(db, userId=invited["_id"])
    data = api.get(f"/crm/users/{invited['_id']}").json["data"]
    assert (data["waiting"], data["failed_mail"]) == (True, None)
    assert api.get(f"/crm/users/{admin.id}").json["data"]["invited_by"] is None


def test_a_user_who_is_not_there(api):
    for user_id in (ObjectId(), "nonsense"):
        assert api.get(f"/crm/users/{user_id}").status_code == 404


def test_the_page(ann, db, invited):
    failed(db, userId=invited["_id"])
    page = ann.get(f"/crm/users/{invited['_id']}")
    assert page.status_code == 200
    assert "ivy@example.com" in page.text
    assert ann.get(f"/crm/users/{ObjectId()}").status_code == 404
