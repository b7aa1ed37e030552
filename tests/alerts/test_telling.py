"""How administrators are told of an alert: by mail, on every page, and live."""

from datetime import timedelta

import pytest

from crmapp.accounts.users import Role
from crmapp.alerts import alerts, letter, watch
from crmapp.clock import now
from crmapp.live.blueprint import live
from crmapp.mailqueue import control
from crmapp.mailqueue.queue import MailEvent

SEEN = {"$set": {"seenAt": now() - timedelta(minutes=10)}}


@pytest.fixture
def boss(new_person):
    return new_person("boss@example.com", Role.SUPERADMIN)


@pytest.fixture
def fault(app, db):
    """No worker is alive; `fault(False)` brings one back. Each says how it stands to the watch."""

    def fault(on=True):
        control.seen(db, "host:1", 0)
        if on:
            db.workers.update_one({}, SEEN)
        watch.look(db)

    return fault


def letters(db):
    mails = list(db.pending_emails.find({"template": letter.TEMPLATE}))
    return [made for _, made in letter.compose(db, mails)]


def test_active_superadmins_are_mailed_once(db, boss, new_person, fault):
    new_person("ann@example.com")
    away = new_person("away@example.com", Role.SUPERADMIN)
    db.users.update_one({"_id": away.key}, {"$set": {"status": "disabled"}})
    for _ in range(3):
        fault()
    (told,) = letters(db)
    assert told.recipient == "boss@example.com"
    assert told.subject.endswith("no worker is alive")
    for text in (told.text, told.html):
        assert "No worker has been alive" in text
        assert "{at:" not in text
        assert "Start `flask worker`" in text or "Start &#96;flask worker" in text
        assert "/crm/jobs" in text


def test_what_comes_and_goes_is_mailed_once_an_hour(db, boss, fault):
    for on in (True, False, True, False, True):
        # Each time is one of its own.
        SEEN["$set"]["seenAt"] += timedelta(seconds=1)
        fault(on)
    assert len(letters(db)) == 1
    told = db.projections.find_one(letter.KEY)["no_worker"]
    an_hour_ago = {**told, "at": now() - timedelta(minutes=61)}
    db.projections.update_one(letter.KEY, {"$set": {"no_worker": an_hour_ago}})
    fault()
    assert len(letters(db)) == 2


def test_what_lasts_is_not_mailed_again(db, boss, fault):
    fault()
    told = db.projections.find_one(letter.KEY)["no_worker"]
    told["at"] -= timedelta(days=1)
    db.projections.update_one(letter.KEY, {"$set": {"no_worker": told}})
    fault()
    assert len(letters(db)) == 1


def test_two_conditions_are_two_mails(db, boss, fault):
    db.events.insert_many([{"type": MailEvent.FAILED, "at": now(), "n": n} for n in range(30)])
    fault()
    subjects = {told.subject.partition(": ")[2] for told in letters(db)}
    assert subjects == {"no worker is alive", "much mail fails"}


def test_every_page_of_an_administrator_says_it(db, ann, fault):
    fault()
    page = ann.get("/crm/leads").text
    assert 'data-condition="no_worker"' in page
    assert "No worker has been alive since {at:" in page
    assert ann.get("/crm/alerts").json["data"]["items"][0]["link"] == "/crm/jobs"
    fault(False)
    assert "data-condition" not in ann.get("/crm/leads").text
    assert ann.get("/crm/alerts").json["data"]["items"] == []


def test_an_agent_is_told_nothing(db, visitor, new_person, fault):
    fault()
    visitor.sign_in(new_person("agent@example.com", Role.AGENT).email, "correct-horse")
    assert "data-condition" not in visitor.get("/crm").text
    assert visitor.get("/crm/alerts").status_code == 403


def test_open_pages_hear_of_it_and_of_its_end(app, db, fault):
    heard = live.redis.pubsub()
    heard.psubscribe("crmapp:*:alerts")
    heard.get_message(timeout=5)
    for on in (True, True, False):
        fault(on)
    texts = [heard.get_message(timeout=5)["data"].decode() for _ in range(2)]
    heard.close()
    assert "No worker has been alive" in texts[0]
    assert "No worker" not in texts[1]


def test_who_opens_a_page_is_sent_what_stands(app, db, fault):
    assert alerts.events(db) == []
    fault()
    (event,) = alerts.events(db)
    assert event.frame.startswith(b"event:alerts\n")
    assert b"No worker has been alive" in event.frame
