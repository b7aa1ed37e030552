"""`python -m benchmarks.desk [SIZE]`: the list of SIZE leads, by every filter and order, as JSON and as a page.

Each question is asked over one connection, again and again, one at a time, so that a time is that of one person with
nobody else there. The first answer is not counted: it may wait for MongoDB to read from disk.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import requests
from bson import ObjectId

from benchmarks import servers
from benchmarks.tables import Table, number, percentile
from crmapp import database
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.leads import sorting, words
from crmapp.leads.leads import LeadStatus
from crmapp.local.samples import sample_leads

INSERT_AT_ONCE = 5000
DIFFERENT = 20_000
# Most leads are new or active, few have failed, none is being activated.
STATUSES = {
    LeadStatus.NEW: 550,
    LeadStatus.ACTIVE: 369,
    LeadStatus.CONTACTED: 50,
    LeadStatus.QUALIFIED: 30,
    LeadStatus.FAILED: 1,
}
AGENT = ObjectId("5" * 24)


def add_leads(db: Db, count: int) -> None:
    """Without the indexes, which are made afterwards: that is several times faster."""
    db.leads.drop()
    leads = _leads(count)
    while some := list(islice(leads, INSERT_AT_ONCE)):
        db.leads.insert_many(some, ordered=False)
    database.create_indexes(db)


def _leads(count: int) -> Iterator[Document]:
    rng = random.Random(7)
    samples = list(sample_leads(min(count, DIFFERENT)))
    time = now() - timedelta(seconds=30 * count)
    for place in range(count):
        lead = dict(samples[place % len(samples)])
        lead["_id"] = ObjectId()
        lead["email"] = f"{place}.{lead['email']}"
        lead["createdAt"] = lead["updatedAt"] = time + timedelta(seconds=30 * place)
        lead["status"] = rng.choices(list(STATUSES), list(STATUSES.values()))[0].value
        lead["agentId"] = rng.choice((AGENT, None, None, None))
        if lead["status"] == LeadStatus.ACTIVE:
            lead |= {"userId": lead["_id"], "activatedAt": lead["createdAt"] + timedelta(days=3)}
        yield {**lead, "words": words.of(lead)}


def questions(db: Db) -> dict[str, Document]:
    """What is asked, by what it is called."""
    some = db.leads.find_one(sort=[("createdAt", -1)])
    assert some is not None
    yesterday, last_week = (f"{now() - timedelta(days=days):%Y-%m-%d}" for days in (1, 7))
    asked: dict[str, Document] = {"first page": {}, "last page": {"last": 1}}
    asked |= {"page 200": {"page": 200}}
    for name in sorting.ORDERS:
        asked |= {f"sort {name}": {"sort": name}, f"sort {name}, last": {"sort": name, "last": 1}}
    for status in LeadStatus:
        asked[f"status {status.value}"] = {"status": status.value}
    return asked | {
        "source": {"source": some["source"]},
        "agent": {"agent": str(AGENT)},
        "no agent": {"agent": "none"},
        "company": {"company": some["company"]},
        "tag": {"tag": "VIP"},
        "created since yesterday": {"from": yesterday},
        "activated in the last week": {"activatedFrom": last_week},
        "has an account": {"account": "yes"},
        "has none": {"account": "no"},
        "q: a word of many": {"q": "example"},
        "q: a name": {"q": "kowal"},
        "q: two words": {"q": "müller jür"},
        "q: an address": {"q": some["email"]},
        "q: a phone number": {"q": some["phone"]},
        "q: nothing found": {"q": "zzzz"},
        "tag, agent, source": {"tag": "VIP", "agent": str(AGENT), "source": "website"},
        "status, q, sort name": {"status": "contacted", "q": "kowal", "sort": "name"},
    }


class Reader:
    """One person, or program, at one connection."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers.update(headers)

    def sign_in(self) -> Reader:
        form = self._session.get(f"{self._url}/login").text
        found = re.search(r'name="csrf-token" content="([^"]+)"', form)
        assert found, form
        fields = {"csrf_token": found[1], "email": servers.EMAIL, "password": servers.PASSWORD}
        self._session.post(f"{self._url}/login", data=fields).raise_for_status()
        return self

    def milliseconds(self, query: Document, times: int) -> list[float]:
        """How long the answers took, sorted."""
        path = f"{self._url}/crm/leads?{urlencode(query)}"
        self._ask(path)
        return sorted(self._ask(path) for _ in range(times))

    def _ask(self, path: str) -> float:
        began = time.perf_counter()
        self._session.get(path).raise_for_status()
        return 1000 * (time.perf_counter() - began)


def measure(size: int, times: int) -> Table:
    table = Table(
        f"The list of {size:,} leads, milliseconds, {times} answers each",
        ["JSON p50", "JSON p99", "page p50", "page p99"],
    )
    with servers.parts() as settings:
        uri, db = servers.new_database(settings, "desk")
        servers.add_admin(db)
        add_leads(db, size)
        log = settings.data_dir / "desk.log"
        with servers.crmapp_server(servers.environ_of(settings, uri), log) as server:
            url = f"http://127.0.0.1:{server.port}"
            token = servers.sign_in(server.port)
            program = Reader(url, {"Authorization": f"Bearer {token}"})
            person = Reader(url, {"Accept": "text/html"}).sign_in()
            for name, query in questions(db).items():
                table.row(name, *_figures(program, query, times), *_figures(person, query, times))
        db.client.drop_database(db)
        db.client.close()
    return table


def _figures(reader: Reader, query: dict[str, Any], times: int) -> list[str]:
    took = reader.milliseconds(query, times)
    return [number(percentile(took, share)) for share in (0.5, 0.99)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("size", type=int, nargs="?", default=1_000_000, metavar="SIZE")
    parser.add_argument("--times", type=int, default=20, help="answers to each question (20)")
    arguments = parser.parse_args()
    measure(arguments.size, arguments.times).show()


if __name__ == "__main__":
    main()
