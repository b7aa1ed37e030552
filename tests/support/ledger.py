"""The ledger of a session, counted from the documents themselves."""

from __future__ import annotations

from typing import Any

from tests.support.smtp import MailServer


def assert_adds_up(db: Any, session_id: str, leads: int) -> None:
    """Every lead is in one state, every activated lead has one user, every counter is a count of documents."""
    progress = db.activation_progress.find_one({"sessionId": session_id})
    activated = db.leads.count_documents({"activationId": session_id, "status": "active"})
    skipped = db.job_errors.count_documents({"jobId": session_id, "state": "skipped"})
    failed = db.job_errors.count_documents({"jobId": session_id, "state": "failed"})
    assert db.leads.count_documents({"activationId": session_id, "status": "activating"}) == 0
    assert (progress["activated"], progress["skipped"], progress["failed"]) == (
        activated,
        skipped,
        failed,
    )
    assert progress["total"] == leads == activated + skipped + failed
    assert db.users.count_documents({"activationId": session_id}) == activated
    assert len(db.users.distinct("leadId", {"activationId": session_id})) == activated
    sent = db.events.count_documents({"sessionId": session_id, "type": "sent", "repeat": None})
    given_up = db.failed_emails.count_documents({"sessionId": session_id})
    pending = db.pending_emails.count_documents({"sessionId": session_id})
    assert (progress["emailsSent"], progress["emailsFailed"], progress["emailsPending"]) == (
        sent,
        given_up,
        pending,
    )
    assert activated == sent + given_up + pending


def extra_mails(smtp: MailServer) -> dict[str, int]:
    """How many mails more than one each address got. Extra ones must have the first one's Message-ID."""
    for mails in smtp.taken.values():
        assert len({mail["Message-ID"] for mail in mails}) == 1
    return {address: len(mails) - 1 for address, mails in smtp.taken.items() if len(mails) > 1}
