"""Once a minute one process of the installation looks whether all is well, whichever it is. It runs in web processes
too that have no other loop, because those are there when the workers are not."""

from __future__ import annotations

import logging
import threading

from flask import Flask
from pymongo.errors import DuplicateKeyError, PyMongoError

from crmapp.accounts import presence
from crmapp.alerts import alerts, letter
from crmapp.alerts.conditions import found
from crmapp.clock import now
from crmapp.database import Db, Document

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
# Whose minute is nearly over may be looked for by the next one that comes.
LOOKED_RECENTLY_SECONDS = 50
KEY: Document = {"_id": "watch"}


class Watch:
    """Start it once per process, after the fork."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._db: Db = app.extensions["database"]
        self._stopping = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._loop, name="watch", daemon=True).start()

    def stop(self) -> None:
        """The look that is under way ends by itself, and can be broken off anywhere."""
        self._stopping.set()

    def _loop(self) -> None:
        # The first look waits too, so that an installation that is just starting alerts nobody.
        while not self._stopping.wait(timeout=EVERY_SECONDS):
            with self._app.app_context():
                try:
                    if take_turn(self._db):
                        look(self._db)
                except PyMongoError as error:
                    log.warning("nobody looked whether all is well: %s", error)
                except Exception:
                    log.exception("looking whether all is well failed")


def take_turn(db: Db) -> bool:
    """Whether it is this process's turn, by MongoDB's clock, because nobody has looked recently."""
    recent = {"$subtract": ["$$NOW", 1000 * LOOKED_RECENTLY_SECONDS]}
    due = {**KEY, "$expr": {"$lt": ["$at", recent]}}
    looked_at = [{"$set": {"at": "$$NOW"}}]
    if db.projections.update_one(due, looked_at).modified_count:
        return True
    if db.projections.find_one(KEY, {"_id": 1}):
        return False
    try:
        db.projections.insert_one({**KEY, "at": now()})
    except DuplicateKeyError:
        return False
    return True


def look(db: Db) -> None:
    """Bring the alerts, and who is online, up to date; mail what is new. Raises PyMongoError."""
    presence.refresh(db)
    letter.tell(db, alerts.refresh(db, found(db)))
