"""What else is asked of the mail worker: how soon the first mail leaves, what a long queue costs, and its memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from benchmarks import mails, processes, servers
from benchmarks.mailservers import MailServer, python_sink
from benchmarks.waiting import poll, until
from config import Settings
from crmapp.database import Db
from crmapp.local.samples import sample_leads
from crmapp.mailqueue import queue, status

LONGEST_SECONDS = 900
CLAIM = 50
LEASE_SECONDS = 60.0
SESSIONS = 20
# Long enough for every trace of the one before to be written.
BREATH_SECONDS = 0.3
SHARES = (0.1, 0.5, 1.0)


def latency(settings: Settings, rounds: int) -> list[float]:
    """Seconds from the commit of a chunk of one lead, by MongoDB's clock, until the server's 250 to its mail left,
    sorted. MongoDB notes whole milliseconds, rounded down, so each may be up to one too long."""
    uri, db = servers.new_database(settings, "latency")
    servers.add_admin(db)
    leads = list(sample_leads(rounds + 1))
    db.leads.insert_many(leads)
    taken: list[float] = []
    with python_sink() as taker:
        environ = servers.environ_of(settings, uri, MAIL_PORT=str(taker.port))
        with (
            servers.crmapp_server(environ, settings.data_dir / "latency.log") as server,
            db.pending_emails.watch([{"$match": {"operationType": "insert"}}]) as inserts,
        ):
            token = servers.sign_in(server.port)
            for number, lead in enumerate(leads, 1):
                time.sleep(BREATH_SECONDS)
                _activate(server.port, token, str(lead["_id"]))
                _wait_for(taker, number)
                committed = inserts.next()["wallTime"].timestamp()
                taken.append(taker.last_at - committed)
    db.client.close()
    # The first one had to connect to the mail server.
    return sorted(taken[1:])


def _activate(port: int, token: str, lead: str) -> None:
    status, answer = servers.call(port, "POST", "/crm/leads/activate", {"leadIds": [lead]}, token)
    if status != 202:
        raise RuntimeError(f"not started: {answer}")


def _wait_for(taker: MailServer, count: int) -> None:
    until(lambda: taker.taken() >= count, 30, f"mail {count} comes")


class Costs(NamedTuple):
    """Of one length of the queue, in seconds: of the status, of a claim by whoever knows which sessions have mail, and
    of one by whoever has to look first."""

    status: list[float]
    claim: list[float]
    first_claim: list[float]


def counting(settings: Settings, sizes: Sequence[int], rounds: int) -> dict[int, Costs]:
    """What the status and a claim of CLAIM mails take with so many mails in the queue, all sizes in turn."""
    dbs = {size: servers.new_database(settings, f"counting_{size}")[1] for size in sizes}
    for size, db in dbs.items():
        mails.fill_queue(db, size, SESSIONS)
        # What was inserted just now is written to disk before, and not while, something is measured.
        db.client.admin.command("fsync")
    turns = {size: queue.Turns() for size in sizes}
    costs = {size: Costs([], [], []) for size in sizes}
    for _ in range(rounds):
        for size, db in dbs.items():
            costs[size].status.append(_seconds(partial(status.current, db)))
            costs[size].claim.append(_claim(db, turns[size]))
            costs[size].first_claim.append(_claim(db, queue.Turns()))
    for db in dbs.values():
        db.client.drop_database(db)
        db.client.close()
    return costs


def _claim(db: Db, turns: queue.Turns) -> float:
    claimed: list[dict[str, object]] = []
    seconds = _seconds(lambda: claimed.extend(queue.claim(db, CLAIM, LEASE_SECONDS, turns)))
    if len(claimed) != CLAIM:
        raise RuntimeError(f"{len(claimed)} mails were claimed instead of {CLAIM}")
    queue.release(db, claimed)
    return seconds


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def memory(settings: Settings, taker: MailServer, count: int) -> dict[float, float]:
    """Resident MiB of the worker once these shares of `count` mails have left."""
    uri, db = servers.new_database(settings, "memory")
    environ = servers.environ_of(
        settings, uri, MAIL_PORT=str(taker.port), EMAIL_SWEEP_SECONDS="86400"
    )
    found: dict[float, float] = {}
    with (
        mails.application(environ),
        servers.crmapp_server(environ, settings.data_dir / "memory.log") as server,
    ):
        mails.fill(db, count)
        mails.ring()
        for share in SHARES:
            if not poll(lambda: taker.taken() >= share * count, LONGEST_SECONDS):  # noqa: B023
                raise TimeoutError(f"only {taker.taken()} of {count} mails left")
            found[share] = processes.memory_kib(server.worker) / 1024
    db.client.drop_database(db)
    db.client.close()
    return found
