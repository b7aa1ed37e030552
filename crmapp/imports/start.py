"""Starting an import."""

from __future__ import annotations

from crmapp.accounts.users import User
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.imports import files
from crmapp.imports.imports import STARTED, TYPE, UPLOADED
from crmapp.jobs import jobs
from crmapp.requests import BadInput

COUNTS = ("imported", "updated", "unchanged", "failed")


def start(db: Db, user: User, brought: Document, mapping: list[str | None]) -> Document:
    """Record the job that imports the file, ready for a runner. Returns it; the same where it was started before."""
    if brought["state"] not in (UPLOADED, STARTED):
        raise BadInput("This file was imported already. To do so again, upload it again.", 409)
    selection = {
        **{name: brought[name] for name in ("file", "fileId", "delimiter", "headings", "start")},
        "mapping": mapping,
    }
    files.keep_on(db, brought["fileId"])
    job, _ = jobs.record(
        db,
        jobs.new_job(
            brought["_id"],
            TYPE,
            user.key,
            user.name,
            selection,
            0,
            counts=COUNTS,
            retriable=False,
            cursor=None,
            # The time of all that it writes: a lead that has another was changed since.
            importedAt=now(),
            by=user.who,
        ),
    )
    changes = {
        "state": STARTED,
        "jobId": job["_id"],
        "mapping": job["selection"]["mapping"],
        "importedAt": job["importedAt"],
        "startedAt": job["createdAt"],
    }
    started = {"_id": brought["_id"], "state": UPLOADED}
    db.imports.update_one(started, {"$set": changes, "$unset": {"expireAt": 1}})
    return job
