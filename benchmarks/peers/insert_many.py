"""What an import is compared with, a helper: `python -m benchmarks.peers.insert_many MONGODB_URI`.

What mongoimport does, in Python: the rows of a CSV file as they are, 1,000 at a time, into a collection with the same
indexes.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from itertools import islice

from benchmarks import processes
from crmapp import database
from crmapp.clock import now
from crmapp.database import Db
from crmapp.leads import words

AT_ONCE = 1000


def insert(db: Db, path: str, with_words: bool) -> dict[str, float]:
    """How long that took, in seconds, and what memory it needed at most, in MiB more than before. With words, rows are
    found like leads of the application."""
    memory = processes.memory_kib(os.getpid())
    processes.forget_peak(os.getpid())
    began = time.monotonic()
    with open(path, newline="", encoding="utf-8") as file:
        times = {"createdAt": now(), "updatedAt": now()}
        rows = csv.DictReader(file)
        while some := [{**row, **times} for row in islice(rows, AT_ONCE)]:
            if with_words:
                some = [{**row, "words": words.of(row)} for row in some]
            db.leads.insert_many(some, ordered=False)
    seconds = time.monotonic() - began
    peak = processes.memory_kib(os.getpid(), "VmHWM")
    return {"seconds": seconds, "memory": (peak - memory) / 1024}


def main() -> None:
    db = database.connect(sys.argv[1])
    print(json.dumps("ready"), flush=True)
    while line := sys.stdin.readline():
        told = json.loads(line)
        print(json.dumps(insert(db, told["path"], told["with_words"])), flush=True)


if __name__ == "__main__":
    main()
