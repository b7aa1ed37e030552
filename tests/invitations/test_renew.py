"""A new link for whoever has an old one."""

from datetime import timedelta

import pytest
from itsdangerous import URLSafeTimedSerializer
from itsdangerous.timed import TimestampSigner

from crmapp.accounts import tokens, users
from crmapp.clock import now
from tests.mailqueue.desk import failed


@pytest.fixture
def expired(site, invited):
    class LastWeek(TimestampSigner):
        def get_timestamp(self):
            return super().get_timestamp() - tokens.INVITATION_SECONDS - 60

    signer = URLSafeTimedSerializer(site.secret_key, salt="crmapp.invitation", signer=LastWeek)
    return f"/invitation/{signer.dumps([str(invited['_id']), invited['inviteNonce']])}"


def renew(visitor, link):
    return visitor.submit(f"{link}/renew", page="/login")


def stored(db, person):
    return db.users.find_one({"_id": person["_id"]})


def test_an_expired_link_gets_a_new_one_sent(db, visitor, expired, invited, link_of):
    page = visitor.get(expired)
    assert page.status_code == 410
    assert "has expired" in page.text
    assert f'action="{expired}/renew"' in page.text
    answer = renew(visitor, expired)
    assert answer.status_code == 200
    assert "i•••@example.com" in answer.text
    assert "ivy@example.com" not in answer.text
    (mail,) = db.pending_emails.find()
    assert (mail["userId"], mail["sessionId"]) == (invited["_id"], None)
    assert visitor.get(link_of(invited)).status_code == 200
    assert "newer" in visitor.get(expired).text


def test_a_superseded_link_cannot_make_the_newest_one_useless(db, visitor, invited, link_of):
    old = link_of(invited)
    db.users.update_one({"_id": invited["_id"]}, {"$set": {"inviteNonce": users.new_nonce()}})
    newest = stored(db, invited)
    for answer in (visitor.get(old), renew(visitor, old)):
        assert answer.status_code == 410
        assert "newer" in answer.text
        assert "/renew" not in answer.text
    assert db.pending_emails.count_documents({}) == 0
    assert stored(db, invited) == newest


def test_one_mail_in_five_minutes(db, visitor, expired, invited):
    assert renew(visitor, expired).status_code == 200
    db.pending_emails.delete_many({})
    nonce = invited["inviteNonce"]
    db.users.update_one({"_id": invited["_id"]}, {"$set": {"inviteNonce": nonce}})
    answer = renew(visitor, expired)
    assert answer.status_code == 429
    assert "5 minutes" in answer.text
    assert "ivy@example.com" not in answer.text
    assert db.pending_emails.count_documents({}) == 0
    assert stored(db, invited)["inviteNonce"] == nonce
    earlier = now() - timedelta(minutes=5, seconds=1)
    db.users.update_one({"_id": invited["_id"]}, {"$set": {"invitedAgainAt": earlier}})
    assert renew(visitor, expired).status_code == 200
    assert db.pending_emails.count_documents({}) == 1


def test_the_one_that_failed_is_tried_again(db, visitor, expired, invited):
    mail = failed(db, userId=invited["_id"])
    assert renew(visitor, expired).status_code == 200
    assert db.pending_emails.distinct("_id") == [mail["_id"]]


def test_who_has_a_password_is_told_to_use_it(db, visitor, expired, invited):
    db.users.update_one({"_id": invited["_id"]}, {"$set": {"status": "active"}})
    for answer in (visitor.get(expired), renew(visitor, expired)):
        assert answer.status_code == 410
        assert "was used already" in answer.text
        assert "/renew" not in answer.text
    assert db.pending_emails.count_documents({}) == 0


def test_a_forged_link_gets_nothing(db, visitor, expired, invited):
    forged = expired[:-3] + ("aaa" if expired[-3:] != "aaa" else "bbb")
    for answer in (visitor.get(forged), renew(visitor, forged)):
        assert answer.status_code == 410
        assert "This link does not work" in answer.text
        assert "/renew" not in answer.text
    assert db.pending_emails.count_documents({}) == 0
    assert stored(db, invited) == invited


def test_a_link_in_a_page_elsewhere_sends_nothing(db, visitor, expired):
    assert visitor.get(f"{expired}/renew").status_code == 405
    assert visitor.client.post(f"{expired}/renew").status_code == 400
    assert db.pending_emails.count_documents({}) == 0
