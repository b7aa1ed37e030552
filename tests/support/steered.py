"""A job that is paused, cancelled or undone: every lead of it is done, or is what it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Leads = dict[Any, dict[str, Any]]


def snapshot(db: Any, **query: Any) -> Leads:
    """Leads by their ids, as they are."""
    return {lead["_id"]: lead for lead in db.leads.find(query)}


@dataclass(frozen=True)
class Steered:
    """An activation, and the leads that it was given as they were `before`."""

    db: Any
    id: str
    before: Leads

    @property
    def document(self) -> dict[str, Any]:
        return dict(self.db.jobs.find_one({"_id": self.id}))

    @property
    def status(self) -> str:
        return str(self.document["status"])

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.document["counts"])

    @property
    def done(self) -> int:
        counts = self.counts
        return sum(counts.values()) - counts["total"]

    @property
    def has_ended(self) -> bool:
        """Nobody is needed any more, but for its mail; and pages show what it has come to."""
        job = self.document
        shown = self.db.activation_progress.find_one({"sessionId": self.id})
        is_shown = shown and all(shown[name] == count for name, count in job["counts"].items())
        return bool(job["phase"] in ("mailing", "over") and is_shown and shown["usersDone"])

    @property
    def presses(self) -> list[str]:
        """What people did with it."""
        return [entry["what"] for entry in self.document["trail"] if entry.get("by")]

    def assert_nothing_lost(self) -> None:
        """Every lead is in one state, every counter is a count of documents, and what is not done is what it was."""
        job, rows = self.document, self._rows()
        assert job["lease"] is None
        of_job = {"activationId": self.id}
        active = set(self.db.leads.distinct("_id", {**of_job, "status": "active"}))
        assert set(self.db.users.distinct("_id", of_job)) == active
        assert job["counts"] == {
            "total": len(self.before),
            "activated": len(active),
            "skipped": len(rows["skipped"]),
            "failed": len(rows["failed"]),
        }
        assert rows["kept"] <= active
        assert len(active | rows["skipped"] | rows["failed"]) == self.done
        self._assert_one_mail_each(active)
        self._assert_leads(active, rows, is_paused=job["status"] == "paused")

    def _rows(self) -> dict[str, set[Any]]:
        errors = self.db.job_errors
        return {
            state: set(errors.distinct("leadId", {"jobId": self.id, "state": state}))
            for state in ("skipped", "failed", "kept")
        }

    def _assert_one_mail_each(self, users: set[Any]) -> None:
        """Wherever it is: waiting, given up or sent."""
        of_job, db = {"sessionId": self.id}, self.db
        mails = [*db.pending_emails.find(of_job), *db.failed_emails.find(of_job)]
        by_id = {mail["_id"]: mail["userId"] for mail in mails}
        sent = db.events.find({**of_job, "type": "sent"})
        by_id |= {event["mailId"]: event["userId"] for event in sent}
        assert sorted(by_id.values()) == sorted(users)

    def _assert_leads(self, active: set[Any], rows: dict[str, set[Any]], is_paused: bool) -> None:
        now = snapshot(self.db, _id={"$in": list(self.before)})
        assert now.keys() == self.before.keys()
        for lead_id, before in self.before.items():
            lead = now[lead_id]
            if lead_id in active:
                continue
            if lead_id in rows["failed"]:
                assert lead["status"] == "failed"
            elif lead_id in rows["skipped"]:
                assert lead["status"] == before["status"]
            elif is_paused:
                assert (lead["status"], lead["activationId"]) == ("activating", self.id)
            else:
                assert lead == before
