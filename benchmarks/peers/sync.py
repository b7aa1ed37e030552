"""What a sync is compared with, a helper: `python -m benchmarks.peers.sync MONGODB_URI`.

A plain loop over the entries that upserts one document after the other, into the same collection with the same
indexes. It does so whether or not an entry has changed.
"""

from __future__ import annotations

import json
import os
import sys
import time

from benchmarks import processes
from crmapp import database
from crmapp.clock import now
from crmapp.database import Db


def loop(db: Db, most: int) -> dict[str, float]:
    """Over the first `most` entries: how long that took, in seconds, and what memory it needed at most, in MiB more
    than before."""
    memory = processes.memory_kib(os.getpid())
    processes.forget_peak(os.getpid())
    began = time.monotonic()
    for entry in db.journal_entries.find().limit(most):
        document = {
            "title": f"{entry['kind'].capitalize()}: {entry['text'].partition(chr(10))[0]}",
            "text": entry["text"],
            "metadata": {"kind": entry["kind"], "leadId": entry["leadId"]},
            "ownerId": entry["authorId"],
            "date": entry["at"],
            "syncedAt": now(),
        }
        which = {"type": "journal_entries", "sourceId": entry["_id"]}
        db.documents.update_one(which, {"$set": document}, upsert=True)
    seconds = time.monotonic() - began
    peak = processes.memory_kib(os.getpid(), "VmHWM")
    return {"seconds": seconds, "memory": (peak - memory) / 1024}


def main() -> None:
    db = database.connect(sys.argv[1])
    print(json.dumps("ready"), flush=True)
    while line := sys.stdin.readline():
        print(json.dumps(loop(db, json.loads(line)["most"])), flush=True)


if __name__ == "__main__":
    main()
