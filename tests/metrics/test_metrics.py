"""/metrics: whoever has the token reads how the queue, the jobs and the workers stand."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pymongo.errors import ExecutionTimeout

from crmapp.clock import now
from crmapp.mailqueue import queue
from crmapp.metrics import outcomes
from tests.mailqueue import desk
from tests.metrics.reading import BEARER, TOKEN, Metrics
from tests.support.smtp import free_port


@pytest.fixture
def metrics(site, environ, new_site, db):
    """Asks as Prometheus does."""
    client = new_site(METRICS_TOKEN=TOKEN).test_client()

    def ask():
        answer = client.get("/metrics", headers=BEARER)
        assert answer.status_code == 200
        assert answer.content_type.startswith("text/plain; version=0.0.4")
        return Metrics(answer.text)

    return ask


def test_without_a_token_there_is_no_such_page(new_site, db):
    client = new_site().test_client()
    for headers in ({}, BEARER, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert client.get("/metrics", headers=headers).status_code == 404


def test_only_the_token_opens_it(new_site, db, admin, api):
    client = new_site(METRICS_TOKEN=TOKEN).test_client()
    wrong = [
        "",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Basic {TOKEN}",
        "Bearer tökén",
        api.headers["Authorization"],
    ]
    for given in wrong:
        answer = client.get("/metrics", headers={"Authorization": given})
        assert answer.status_code == 401, given
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "crmapp_" not in answer.text
    assert client.get("/metrics", headers=BEARER).status_code == 200
    # It opens nothing else.
    assert client.get("/crm/leads", headers=BEARER).status_code == 401


def test_an_empty_installation(metrics):
    told = metrics()
    assert told("crmapp_mongodb_up") == 1
    for state in ("pending", "processing", "failed"):
        assert told("crmapp_queue_mails", state=state) == 0
    assert told("crmapp_queue_oldest_pending_seconds") == 0
    assert told("crmapp_mails_total", outcome="sent") == 0
    assert told("crmapp_workers_alive") == 0
    assert told("crmapp_stream_readers") == 0


def test_the_queue(metrics, db):
    waiting = desk.pending(db, visibleAt=now() - timedelta(seconds=90))
    desk.pending(db, visibleAt=now() + timedelta(hours=1))
    queue.claim(db, 1, 60)
    desk.pending(db, visibleAt=now() - timedelta(seconds=30))
    desk.failed(db)
    desk.failed(db, dropped=True)
    told = metrics()
    assert db.pending_emails.find_one({"_id": waiting["_id"]})["status"] == "processing"
    assert told("crmapp_queue_mails", state="pending") == 2
    assert told("crmapp_queue_mails", state="processing") == 1
    assert told("crmapp_queue_mails", state="failed") == 1
    assert 30 <= told("crmapp_queue_oldest_pending_seconds") < 80


def test_jobs_and_workers(metrics, db):
    kinds = [("running", "activation"), ("failed", "activation"), ("failed", "activation")]
    db.jobs.insert_many([{"status": status, "type": type} for status, type in kinds])
    db.jobs.insert_one({"by": "an old version"})
    ago = (("one", 1), ("two", 8), ("dead", 45))
    db.workers.insert_many(
        [{"_id": name, "seenAt": now() - timedelta(seconds=seconds)} for name, seconds in ago]
    )
    told = metrics()
    assert told("crmapp_jobs", status="running", type="activation") == 1
    assert told("crmapp_jobs", status="failed", type="activation") == 2
    assert told("crmapp_workers_alive") == 2


def test_mails_by_outcome(metrics, db):
    desk.sent(db)
    desk.sent(db)
    for _ in range(4):
        desk.pending(db)
    given_up, later, void, _ = queue.claim(db, 4, 60)
    queue.settle_failed(db, given_up, "mailbox_unknown", "550 No such user")
    queue.defer(db, later, 30, "greylisted", "450 Later")
    queue.settle_void(db, void, "has a password")
    told = metrics()
    counted = {
        outcome: told("crmapp_mails_total", outcome=outcome)
        for outcome in ("sent", "failed", "deferred", "void", "lapsed")
    }
    assert counted == {"sent": 2, "failed": 1, "deferred": 1, "void": 1, "lapsed": 0}


def test_the_count_of_mails_never_falls_and_looks_back_no_further_than_it_must(db, monkeypatch):
    clock = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(outcomes, "now", lambda: clock)

    def sent_at(time):
        mail = desk.sent(db)
        db.events.update_one({"_id": mail["_id"]}, {"$set": {"at": time}})

    expected = 0
    for minute in range(12):
        # Now, a while ago by another machine's clock, and a little ahead of this one.
        for seconds in (0, -50, 20):
            sent_at(clock + timedelta(seconds=seconds))
        expected += 3
        for _ in range(2):
            assert outcomes.totals(db)["sent"] == expected, minute
        clock += timedelta(seconds=45)
    until = db.projections.find_one(outcomes.KEY)["until"]
    assert clock - until < timedelta(minutes=5)
    assert db.projections.find_one(outcomes.KEY)["counts"]["sent"] > 0


def test_several_who_ask_at_once_count_nothing_twice(db, monkeypatch):
    for _ in range(5):
        desk.sent(db, ago=600)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(outcomes.totals, db) for _ in range(12)]
    assert {each.result()["sent"] for each in asked} == {5}
    assert outcomes.totals(db)["sent"] == 5


def test_with_mongodb_away_the_rest_is_told(new_site):
    away = f"mongodb://127.0.0.1:{free_port()}/x?directConnection=true"
    client = new_site(MONGODB_URI=away, METRICS_TOKEN=TOKEN).test_client()
    client.get("/healthz", buffered=True)
    answer = client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    told = Metrics(answer.text)
    assert told("crmapp_mongodb_up") == 0
    assert "crmapp_queue_mails" not in told.names
    healthy = {"endpoint": "health.alive", "method": "GET", "status": "200"}
    assert told("crmapp_request_seconds_count", **healthy) >= 1


def test_what_mongodb_cannot_tell_in_time_is_left_out(metrics, monkeypatch):
    def too_slow(db):
        raise ExecutionTimeout("operation exceeded time limit")

    monkeypatch.setattr(outcomes, "totals", too_slow)
    assert metrics()("crmapp_mongodb_up") == 0


def test_addresses_and_methods_from_strangers_make_no_new_series(new_site, db, metrics):
    client = new_site().test_client()
    for number in range(5):
        client.get(f"/nothing/{number}", buffered=True)
        client.open(f"/nothing/{number}", method=f"FOO{number}", buffered=True)
        client.get(f"/crm/leads/{number}", buffered=True)
    told = metrics()
    assert told("crmapp_request_seconds_count", endpoint="none", method="GET", status="404") >= 5
    assert told("crmapp_request_seconds_count", endpoint="none", method="other", status="404") >= 5
    endpoints = told.labelled("crmapp_request_seconds_count", "endpoint")
    assert not [endpoint for endpoint in endpoints if "/" in endpoint]
