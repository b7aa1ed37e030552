"""Whether the numbers that are shown are those of what is there."""

from __future__ import annotations

from collections.abc import Iterator

from crmapp.database import Db, Document
from crmapp.doctor.findings import Finding, fault, ok
from crmapp.invitations.resend import queue_missing
from crmapp.jobs import jobs
from crmapp.jobs.jobs import GOING, JobStatus, Phase
from crmapp.mailqueue import doctor

FINISHED_JOBS = 50
TOLD = 3
UNFINISHED: Document = {"status": {"$in": [*GOING, JobStatus.PAUSED]}}


def check(db: Db) -> Iterator[Finding]:
    yield _jobs(db)
    yield _mails(db)


def _jobs(db: Db) -> Finding:
    shown = {"counts": 1, "status": 1, "phase": 1}
    unfinished = db.jobs.find(UNFINISHED, shown)
    ended = {"status": {"$nin": UNFINISHED["status"]["$in"]}}
    finished = db.jobs.find(ended, shown).sort("createdAt", -1).limit(FINISHED_JOBS)
    looked_at = [*unfinished, *finished]
    wrong = [job["_id"] for job in looked_at if not _adds_up(job)]
    if wrong:
        return fault(
            "jobs",
            f"the counts of {len(wrong)} do not add up: {', '.join(wrong[:TOLD])}",
            "Run `flask queue doctor --mend`, which mends activations; retry what failed of others.",
        )
    return ok("jobs", f"the counts of {len(looked_at)} add up")


def _adds_up(job: Document) -> bool:
    """Every item has become one thing at most, and exactly one where the job has completed."""
    counts = job["counts"]
    if job.get("phase") == Phase.SELECTING:
        return True
    if any(count < 0 for count in counts.values()):
        return False
    done = jobs.done(counts)
    return bool(
        done == counts["total"] if job["status"] == JobStatus.COMPLETED else done <= counts["total"]
    )


def _mails(db: Db) -> Finding:
    findings = doctor.examine(db, queue_missing)
    if findings:
        few = " ".join(finding.text for finding in findings[:TOLD])
        return fault(
            "ledger", f"{len(findings):,} disagree: {few}", "Run `flask queue doctor --mend`."
        )
    return ok("ledger", "every user, mail and number agrees")
