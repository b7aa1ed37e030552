"""The mail that tells whoever started a job what has come of it, where the page cannot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from bson import ObjectId
from flask import current_app
from pymongo.client_session import ClientSession

from crmapp.accounts import presence
from crmapp.accounts.users import UserStatus
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.jobs import jobs, kinds
from crmapp.jobs.jobs import JobStatus
from crmapp.mailqueue import queue
from crmapp.mailqueue.letter import Letter, Unneeded

TEMPLATE = "job_ended"
WORDS = {
    JobStatus.COMPLETED: "has completed",
    JobStatus.CANCELLED: "was cancelled",
    JobStatus.FAILED: "has stopped at a fault",
}


def tell_of_end(db: Db, job: Document, session: ClientSession) -> None:
    """Queue the mail, in the transaction that ends `job`: where it ran for long, or its starter has left."""
    if job["status"] == JobStatus.CANCELLED and _last_press(job) in (job["userId"], None):
        return  # they know, or it was too old to be kept
    starter = db.users.find_one({"_id": job["userId"]}, session=session)
    if starter is None or starter["status"] != UserStatus.ACTIVE:
        return
    if _took_long(job) or presence.has_left(starter):
        domain = urlsplit(current_app.config["PUBLIC_URL"]).hostname or "localhost"
        mail = queue.new_mail(TEMPLATE, starter["_id"], starter["email"], None, domain, now())
        queue.enqueue(db, [{**mail, "jobId": job["_id"]}], session)


def _last_press(job: Document) -> ObjectId | None:
    """Whose the last press was; None where crmapp itself ended the job."""
    pressed = [entry["by"]["id"] for entry in job.get("trail", []) if entry.get("by")]
    return pressed[-1] if pressed else None


def _took_long(job: Document) -> bool:
    limit = timedelta(seconds=current_app.config["SETTINGS"].notify_after_seconds)
    return timedelta(milliseconds=job["duration"]) > limit


def compose(db: Db, mails: list[Document]) -> Iterator[tuple[ObjectId, Letter | Exception]]:
    """The letters of these mails, each with its mail's id; an exception for one that cannot be made."""
    return ((mail["_id"], _write(db, mail)) for mail in mails)


def _write(db: Db, mail: Document) -> Letter | Exception:
    try:
        job = db.jobs.find_one({"_id": mail["jobId"]}, {"selection": 0})
        if job is None:
            return Unneeded("the job is not kept any more")
        facts = _facts(job)
        text, html = (
            current_app.jinja_env.get_template(f"mail/job_ended.{form}").render(facts)
            for form in ("txt", "html")
        )
        return Letter(mail["email"], f"{facts['label']} {facts['outcome']}", text, html)
    except Exception as error:
        return error


def _facts(job: Document) -> Document:
    kind, counts = kinds.of(job["type"]), job["counts"]
    total, done = counts["total"], jobs.done(counts)
    ok = sum(counts[name] for name in kind.succeeded)
    return {
        "name": job["userName"],
        "label": kind.label,
        "outcome": WORDS.get(job["status"], "goes on"),
        "items": kind.items,
        "total": total,
        "ok": ok,
        "failed": counts["failed"],
        "skipped": counts.get("skipped", 0),
        "remaining": total - done,
        "problem": job.get("problem"),
        "emails_sent": job.get("emailsSent"),
        "emails_failed": job.get("emailsFailed"),
        "link": f"{current_app.config['PUBLIC_URL']}/crm/jobs/{job['_id']}",
    }
