"""What the e-mail queue page lists, by its tabs and filters."""

from datetime import UTC, datetime

import pytest
from bson import ObjectId
from pymongo.errors import ExecutionTimeout

from crmapp.accounts import users
from crmapp.accounts.users import Role
from crmapp.mailqueue import queue, rows
from crmapp.mailqueue.filters import State, to_query
from tests.mailqueue.desk import SESSION, failed, note_sent, pending, sent

QUEUE = "/crm/email-queue"


@pytest.fixture
def listed(api):
    """The addresses that a query lists, in order."""

    def ask(query=""):
        answer = api.get(f"{QUEUE}?{query}")
        assert answer.status_code == 200, answer.text
        return [mail["email"] for mail in answer.json["data"]["items"]]

    return ask


def test_every_mail_is_in_one_tab(api, listed, db):
    pending(db, "pending@example.com")
    pending(db, "processing@example.com", status="processing", token="x")
    failed(db, "failed@example.com")
    failed(db, "dropped@example.com", dropped=True)
    repeated = sent(db, "sent@example.com")
    extra = queue.event({"attempts": 0, **repeated}, queue.MailEvent.SENT, "sent again: 250")
    db.events.insert_one(extra | {"repeat": True})
    for state in State:
        assert listed(f"state={state}") == [f"{state}@example.com"]
    assert listed() == ["pending@example.com"]
    counts = api.get(QUEUE).json["data"]["counts"]
    assert counts == {**{state.value: 1 for state in State}, "sent_capped": False}


def test_newest_first_and_fifty_a_page(api, listed, db):
    for number in range(55):
        failed(db, f"lead{number}@example.com")
    newest = [f"lead{number}@example.com" for number in range(54, -1, -1)]
    assert listed("state=failed") == newest[:50]
    assert listed("state=failed&page=2") == newest[50:]
    assert listed("state=failed&page=3") == []
    data = api.get(f"{QUEUE}?state=failed").json["data"]
    assert (data["total"], data["capped"], data["page"], data["pages"]) == (55, False, 1, 2)


def test_sent_mail_is_in_the_order_of_sending(listed, db):
    sent(db, "first@example.com", ago=60)
    sent(db, "last@example.com", ago=5)
    sent(db, "second@example.com", ago=30)
    assert listed("state=sent") == ["last@example.com", "second@example.com", "first@example.com"]


def test_counting_ends_somewhere(api, db, monkeypatch):
    monkeypatch.setattr(rows, "COUNTED_UP_TO", 100)
    for number in range(101):
        sent(db, f"lead{number}@example.com")
    data = api.get(f"{QUEUE}?state=sent").json["data"]
    assert (data["total"], data["capped"], data["pages"]) == (100, True, 2)
    assert (data["counts"]["sent"], data["counts"]["sent_capped"]) == (100, True)


def test_the_search_takes_every_letter_as_it_is(listed, db):
    failed(db, "a.b@example.com", error="550 (no) such user+")
    failed(db, "aXb@example.com", error="550 no such user")
    assert listed("state=failed&q=A.B") == ["a.b@example.com"]
    assert listed("state=failed&q=(NO)") == ["a.b@example.com"]
    assert listed("state=failed&q=user%2B") == ["a.b@example.com"]
    assert listed("state=failed&q=.*") == []
    note_sent(db, {**pending(db, "said@example.com")}, "250 queued as 4711")
    assert listed("state=sent&q=4711") == ["said@example.com"]


def test_by_reason_and_session_and_both(listed, db):
    failed(db, "a@example.com", reason="timeout", sessionId="activation_1_a")
    failed(db, "b@example.com", reason="mailbox_full", sessionId="activation_1_a")
    failed(db, "c@example.com", reason="timeout", sessionId="activation_2_b")
    assert listed("state=failed&reason=timeout") == ["c@example.com", "a@example.com"]
    assert listed("state=failed&sessionId=activation_1_a") == ["b@example.com", "a@example.com"]
    assert listed("state=failed&reason=timeout&sessionId=activation_1_a") == ["a@example.com"]


def test_an_address_finds_what_went_to_the_persons_earlier_one(listed, db):
    person = users.new_user("ivy@new.example.com", "Ivy", Role.USER, activationId=SESSION)
    db.users.insert_one(person)
    for make in (failed, sent, pending):
        make(db, "ivy@old.example.com", userId=person["_id"])
    pending(db, "ivy@older.example.com", userId=person["_id"], sessionId=None)
    failed(db, "ivy@new.example.com.au")
    failed(db, "stranger@example.com")
    for state in ("failed", "sent"):
        assert listed(f"state={state}&address=Ivy@New.example.com") == ["ivy@old.example.com"]
    waiting = ["ivy@older.example.com", "ivy@old.example.com"]
    assert listed("address=Ivy@New.example.com") == waiting
    assert listed(f"address=Ivy@New.example.com&sessionId={SESSION}") == waiting[1:]
    assert listed("state=failed&address=stranger@example.com") == ["stranger@example.com"]
    assert listed("state=failed&address=stranger@example") == []


def test_by_days(listed, db):
    def at(day):
        return datetime(2026, 1, day, 12, tzinfo=UTC)

    for day in (1, 2, 3):
        failed(db, f"day{day}@example.com", createdAt=at(day))
        event = queue.event({"attempts": 0, **pending(db)}, queue.MailEvent.SENT, "250")
        db.events.insert_one({**event, "email": f"day{day}@example.com", "at": at(day)})
    for state in ("failed", "sent"):
        assert listed(f"state={state}&from=2026-01-02") == ["day3@example.com", "day2@example.com"]
        assert listed(f"state={state}&to=2026-01-02") == ["day2@example.com", "day1@example.com"]
        assert listed(f"state={state}&from=2026-01-02&to=2026-01-02") == ["day2@example.com"]


def test_failed_mail_in_groups(api, db):
    for reason, count in (("timeout", 1), ("mailbox_full", 3)):
        for _ in range(count):
            failed(db, reason=reason)
    failed(db, reason="timeout", dropped=True)
    failed(db, "other@example.org", reason="domain_unknown")
    groups = api.get(f"{QUEUE}?state=failed&q=example.com&reason=timeout").json["data"]["groups"]
    assert [(group["reason"], group["count"]) for group in groups] == [
        ("mailbox_full", 3),
        ("timeout", 1),
    ]
    assert groups[0]["label"] == "Mailbox full"
    assert api.get(QUEUE).json["data"]["groups"] == []


def test_a_row_tells_what_there_is_to_know(api, db):
    failed(db, attempts=3)
    (row,) = api.get(f"{QUEUE}?state=failed").json["data"]["items"]
    assert (row["state"], row["reason"], row["attempts"]) == ("failed", "mailbox_unknown", 3)
    assert row["error"] == "550 5.1.1 No such user"
    assert row["lastAttemptDate"].endswith("Z")
    pending(db, token="the claim's secret")
    page = api.get(QUEUE).text
    assert "visibleAt" in page
    assert "the claim's secret" not in page
    mail = sent(db)
    (row,) = api.get(f"{QUEUE}?state=sent").json["data"]["items"]
    assert (row["_id"], row["reply"], row["attempts"]) == (str(mail["_id"]), "250 Taken", 1)


def test_the_timeline_of_a_mail(api, db):
    mail = failed(db)
    first = queue.event({**mail, "attempts": 0}, queue.MailEvent.DEFERRED, "450 Later", "timeout")
    second = queue.event({**mail, "attempts": 1}, queue.MailEvent.FAILED, "550 No", "mailbox_full")
    other = queue.event({**failed(db), "userId": mail["userId"]}, queue.MailEvent.FAILED, "550")
    db.events.insert_many([second | {"at": datetime(2026, 1, 2, tzinfo=UTC)}, other])
    db.events.insert_one(first | {"at": datetime(2026, 1, 1, tzinfo=UTC)})
    data = api.get(f"{QUEUE}/mail/{mail['_id']}/timeline").json["data"]
    assert data["mail"]["email"] == mail["email"]
    told = [(event["type"], event["attempt"], event["reply"]) for event in data["items"]]
    assert told == [("deferred", 1, "450 Later"), ("failed", 2, "550 No")]
    by = {"id": ObjectId(), "name": "bob@example.com"}
    dropped = queue.event(mail, queue.MailEvent.DROPPED, "given up", by=by)
    db.events.insert_one(dropped)
    data = api.get(f"{QUEUE}/mail/{mail['_id']}/timeline").json["data"]
    assert data["items"][-1]["by"] == "bob@example.com"


@pytest.mark.parametrize("mail_id", ["6b036fbb8ad747caa53e4da8", "nonsense"])
def test_the_timeline_of_a_mail_that_is_not_there(api, mail_id):
    answer = api.get(f"{QUEUE}/mail/{mail_id}/timeline")
    assert answer.status_code == 404
    assert answer.json["success"] is False


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("state=nosuch", "state must be one of pending, processing, failed, sent, dropped"),
        ("nosuch=1", "There is no filter 'nosuch'"),
        ("reason=nosuch", "reason must be one of"),
        ("from=31.1.2026", "from must be a day"),
        ("to=9999-12-31", "to must be a day"),
        ("q=%00", "q holds a character"),
        ("q=" + "x" * 201, "longer than 200"),
        ("page=0", "page must be a whole number"),
        ("page=201", "page must be a whole number from 1 to 200"),
    ],
)
def test_a_list_that_there_cannot_be(api, query, words):
    for path in (QUEUE, f"{QUEUE}/export.csv"):
        if path.endswith("csv") and query.startswith("page"):
            continue
        answer = api.get(f"{path}?{query}")
        assert answer.status_code == 400, path
        assert words in answer.json["msg"]


def test_a_search_that_takes_too_long_says_so(api, monkeypatch):
    def too_long(*_):
        raise ExecutionTimeout("operation exceeded time limit")

    monkeypatch.setattr(rows, "_count", too_long)
    answer = api.get(f"{QUEUE}?q=x")
    assert answer.status_code == 503
    assert "Narrow it down" in answer.json["msg"]


def test_a_million_rows_are_not_sorted_in_memory(db, app):
    for number in range(300):
        failed(db, reason="timeout" if number % 2 else "mailbox_full")
        pending(db)
        sent(db)
    stages = {
        state: str(rows._find(db, state, to_query(db, state, filter)).limit(50).explain())
        for state, filter in {
            State.FAILED: {"reason": "timeout"},
            State.PENDING: {},
            State.SENT: {},
        }.items()
    }
    for state, plan in stages.items():
        winning = plan.split("'rejectedPlans'")[0]
        assert "'SORT'" not in winning, state


def test_pausing_and_going_on(api, admin, db):
    paused = api.post(f"{QUEUE}/pause").json["data"]
    assert (paused["state"], paused["msg"]) == ("paused", "The queue is paused.")
    assert admin.email in paused["text"]
    assert api.get(f"{QUEUE}/health").json["data"]["state"] == "paused"
    assert api.post(f"{QUEUE}/pause").json["data"]["msg"] == "The queue was paused already."
    stored = db.projections.find_one({"_id": "emailQueueHealth"})
    assert stored["state"] == "paused"
    assert api.post(f"{QUEUE}/resume").json["data"]["state"] != "paused"
    assert db.projections.find_one({"_id": "emailQueueHealth"})["state"] != "paused"
    assert api.post(f"{QUEUE}/resume").json["data"]["msg"] == "The queue was not paused."


def test_the_page_shows_the_mails_and_their_groups(ann, db):
    failed(db, "<b>@example.com", error="550 <script>")
    page = ann.get(f"{QUEUE}?state=failed&q=550")
    assert page.status_code == 200
    assert "&lt;b&gt;@example.com" in page.text
    assert "550 &lt;script&gt;" in page.text
    assert "Mailbox unknown" in page.text
    for state in State:
        assert ann.get(f"{QUEUE}?state={state}").status_code == 200
    assert ann.get(f"{QUEUE}?state=nosuch").status_code == 400
