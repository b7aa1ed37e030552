"""The kinds of jobs that there are, put together here and nowhere else."""

from __future__ import annotations

from datetime import datetime

from flask import Flask
from pymongo.client_session import ClientSession

from crmapp import notices
from crmapp.activation.kind import KIND as ACTIVATION
from crmapp.bulk.kinds import kinds as kinds_of_bulk
from crmapp.database import Db, Document
from crmapp.imports.kinds import kinds as kinds_of_imports
from crmapp.jobs import kinds, progress
from crmapp.jobs.progress import MailCounts
from crmapp.mailqueue import queue
from crmapp.sync.kinds import kinds as kinds_of_sync


class _Mails:
    """What jobs need of the mail queue."""

    def count(self, db: Db, job_id: str) -> MailCounts:
        return queue.count_of_session(db, job_id)

    def hold(self, db: Db, job_id: str, until: datetime) -> None:
        queue.hold_session(db, job_id, until)

    def tell_of_end(self, db: Db, job: Document, session: ClientSession) -> None:
        notices.tell_of_end(db, job, session)


def init_app(app: Flask) -> None:
    kinds.init_app(app, [ACTIVATION, *kinds_of_bulk(), *kinds_of_imports(), *kinds_of_sync()])
    progress.init_app(app, _Mails())
