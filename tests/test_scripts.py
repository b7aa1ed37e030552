"""Nothing that somebody typed is markup anywhere: not a lead's name or notes, not a tag, a goal or a job's error."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from bson import ObjectId

from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.leads import changes
from crmapp.mailqueue import queue
from tests.conftest import PASSWORD
from tests.support.work import run_jobs

SCRIPT = "</script><script>alert(1)</script>'\"><img src=x onerror=alert(1)>"
ASKED = quote(SCRIPT)


@pytest.fixture
def pages(site, db, api, new_person, new_leads):
    """A superadmin's pages of a product in which everything holds a script."""
    root = new_person("root@example.com", Role.SUPERADMIN)
    named = {"$set": {"name": SCRIPT}}
    db.users.update_many({}, named)
    text = dict.fromkeys(("name", "phone", "company", "source", "notes"), SCRIPT)
    (lead,) = new_leads(1, **text, tags=[SCRIPT], agentId=root.key)
    new_leads(1, **text, email=SCRIPT, status=SCRIPT)
    session_id = api.activate()
    run_jobs(site)
    by = {"id": root.key, "name": SCRIPT}
    change = changes.event(lead, by, SCRIPT, {"notes": [SCRIPT, SCRIPT], "tags": [[SCRIPT], []]})
    db.events.insert_one(change)
    times = {"createdAt": now(), "updatedAt": now()}
    entry = {"leadId": lead, "kind": "call", "text": SCRIPT, "at": now(), "authorName": SCRIPT}
    entry_id = db.journal_entries.insert_one({**entry, **times}).inserted_id
    goal = {"userId": root.key, "title": SCRIPT, "unit": SCRIPT, "notes": SCRIPT, "target": 5}
    span = {"progress": 1, "from": now(), "to": now() + timedelta(days=9), "createdBy": by}
    goal_id = db.goals.insert_one({**goal, **span, **times}).inserted_id
    document = {
        "type": "goals",
        "sourceId": ObjectId(),
        "title": SCRIPT,
        "text": SCRIPT,
        "ownerId": None,
    }
    db.documents.insert_one(
        {**document, "metadata": {SCRIPT: SCRIPT}, "date": now(), "syncedAt": now()}
    )
    mail = db.pending_emails.find_one()
    failed = {**mail, "_id": ObjectId(), "error": SCRIPT, "reason": "mailbox_unknown"}
    db.failed_emails.insert_one({**failed, "email": SCRIPT, "lastAttemptDate": now()})
    db.events.insert_one(queue.event(mail, queue.MailEvent.DEFERRED, SCRIPT))
    return [
        *("/crm", "/crm/leads", f"/crm/leads/{lead}", "/crm/leads/new", "/crm/leads/import"),
        *(f"/crm/search?q={word}" for word in ("script", "%3Cscript%3E", "lead0")),
        *("/crm/journal", f"/crm/journal/{entry_id}", f"/crm/journal?lead={lead}"),
        *("/crm/goals", f"/crm/goals/{goal_id}", "/sync", "/sync?q=script"),
        *("/crm/jobs", "/crm/jobs/history", f"/crm/jobs/{session_id}"),
        *(f"/crm/email-queue?state={state}" for state in ("pending", "failed")),
        *(f"/crm/users/{lead}", f"/crm/leads?q={ASKED}&tag={ASKED}&source={ASKED}"),
        f"/nowhere/{ASKED}",
    ]


def test_nothing_that_was_typed_is_markup(pages, visitor):
    visitor.sign_in("root@example.com", PASSWORD)
    seen = 0
    for path in pages:
        answer = visitor.get(path)
        assert answer.status_code in (200, 404), (path, answer.status_code)
        html = answer.text
        assert "<script>alert" not in html, path
        assert "<img src=x" not in html, path
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        seen += "&lt;script&gt;alert" in html or "\\u003cscript\\u003ealert" in html
    assert seen > 15
