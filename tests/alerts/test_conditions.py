"""What administrators are alerted to, and when it is over."""

import threading
from datetime import timedelta

import pytest
from bson import ObjectId

from crmapp import database
from crmapp.alerts import alerts, conditions, watch
from crmapp.clock import now
from crmapp.mailqueue import control
from tests.support.standalone import Standalone
from tests.support.waiting import until


@pytest.fixture
def worker(db):
    control.seen(db, "host:1", 0)


def settled(db, **outcomes):
    """Mails of the last hour, and as many of the hour before."""
    for ago in (timedelta(minutes=1), timedelta(minutes=61)):
        for type, count in outcomes.items():
            many = [{"type": type, "mailId": ObjectId(), "at": now() - ago} for _ in range(count)]
            db.events.insert_many(many)


def standing(db):
    watch.look(db)
    return {item["condition"]: item for item in alerts.current(db)["items"]}


def test_all_is_well(app, db, worker):
    assert standing(db) == {}


def test_no_worker_since_the_last_was_seen(app, db, worker):
    seen = now() - timedelta(minutes=3)
    db.workers.update_one({}, {"$set": {"seenAt": seen}})
    alert = standing(db)["no_worker"]
    assert alert["since"] == seen
    assert "flask worker" in alert["advice"]
    control.seen(db, "host:1", 0)
    assert standing(db) == {}


def test_a_worker_that_is_late_by_a_minute_alerts_nobody(app, db, worker):
    db.workers.update_one({}, {"$set": {"seenAt": now() - timedelta(minutes=1)}})
    assert standing(db) == {}


def test_an_installation_that_never_had_a_worker_counts_from_the_first_look(app, db):
    first = standing(db)["no_worker"]["since"]
    assert standing(db)["no_worker"]["since"] == first


@pytest.mark.parametrize(
    ("sent", "failed", "alerted"), [(80, 20, True), (81, 19, False), (0, 19, False), (0, 20, True)]
)
def test_a_share_of_the_last_hours_mail_fails(app, db, worker, sent, failed, alerted):
    settled(db, **{name: count for name, count in (("sent", sent), ("failed", failed)) if count})
    found = standing(db)
    assert list(found) == (["mail_fails"] if alerted else [])
    if alerted:
        assert f"{failed} of the {sent + failed} mails" in found["mail_fails"]["text"]


def test_mongodbs_disk_is_nearly_full(app, db, worker, monkeypatch):
    monkeypatch.setattr(conditions, "NEARLY_FULL", conditions.disk_share(db) - 0.01)
    assert f"{conditions.disk_share(db):.0%}" in standing(db)["disk_full"]["text"]
    monkeypatch.setattr(conditions, "NEARLY_FULL", conditions.disk_share(db) + 0.01)
    assert standing(db) == {}


def test_mongodb_was_started_without_its_replica_set(tmp_path):
    with Standalone(tmp_path) as uri:
        alone = database.connect(uri)
        control.seen(alone, "host:1", 0)
        assert [alert.condition for alert in conditions.found(alone)] == ["standalone"]
        alone.client.close()


def test_what_goes_on_keeps_its_beginning_while_its_numbers_change(app, db, worker):
    settled(db, failed=20)
    first = standing(db)["mail_fails"]
    settled(db, failed=5)
    second = standing(db)["mail_fails"]
    assert first["since"] == second["since"]
    assert "25 of the 25" in second["text"]


def test_one_process_looks_a_minute(db):
    assert [watch.take_turn(db) for _ in range(3)] == [True, False, False]
    a_minute_ago = now() - timedelta(seconds=60)
    db.projections.update_one(watch.KEY, {"$set": {"at": a_minute_ago}})
    assert [watch.take_turn(db) for _ in range(2)] == [True, False]


def test_the_look_sees_who_has_left(app, db, worker, admin):
    gone = {"online": True, "lastSeenAt": now() - timedelta(minutes=5)}
    db.users.update_one({"_id": admin.key}, {"$set": gone})
    watch.look(db)
    assert db.users.find_one({"_id": admin.key})["online"] is False


def test_a_process_looks_by_itself_until_it_stops(app, db, monkeypatch):
    monkeypatch.setattr(watch, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(watch, "LOOKED_RECENTLY_SECONDS", 0)
    running = watch.Watch(app)
    running.start()
    until(lambda: alerts.current(db)["items"])
    control.seen(db, "host:1", 0)
    until(lambda: not alerts.current(db)["items"])
    running.stop()
    until(lambda: "watch" not in {thread.name for thread in threading.enumerate()})
