"""What is found for some words: leads, people, journal entries, documents and jobs, each search limited in time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from flask import url_for

from crmapp import bounded
from crmapp.accounts import rights, staff
from crmapp.accounts.users import User
from crmapp.addresses import InvalidAddress, normalise
from crmapp.database import Db, Document
from crmapp.jobs import filters as job_filters
from crmapp.jobs import listing as job_listing
from crmapp.journal import entries
from crmapp.leads import listing as lead_listing
from crmapp.sync import documents

MOST = 10
FEW = 5  # of what is read rather than compared
SECONDS = 2.0


@dataclass(frozen=True)
class Hit:
    title: str
    url: str
    detail: str = ""
    status: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Section:
    """The first hits of one kind; None where looking for them took too long. `all_url` is where all of them are."""

    name: str
    title: str
    hits: list[Hit] | None
    all_url: str = ""


Search = Callable[[Db, User, str], list[Hit]]


def find(db: Db, user: User, q: str) -> list[Section]:
    """Every section in which something was found, or might have been. What is exactly `q`, an address or the id of a
    job, comes first."""
    reachable = [each for each in SEARCHES if user.may_enter_back_office or each[0] not in OFFICE]
    sections = [
        Section(name, title, bounded.within(SECONDS, partial(search, db, user, q)), url(q))
        for name, title, search, url in reachable
    ]
    return [section for section in sections if section.hits != []]


def _exact(db: Db, user: User, q: str) -> list[Hit]:
    try:
        email = normalise(q)
    except InvalidAddress:
        return _jobs_by(db, user, {"_id": q})
    same = {"email": email}
    leads = db.leads.find({**rights.leads_of(user), **same}).limit(MOST)
    people = db.users.find(same) if user.may_enter_back_office else ()
    return [*map(_lead, leads), *map(_person, people)]


def _leads(db: Db, user: User, q: str) -> list[Hit]:
    page, _ = lead_listing.list_page(db, user, {"q": q, "pageSize": str(MOST)})
    return [_lead(lead) for lead in page.items]


def _lead(lead: Document) -> Hit:
    email, name, company = (str(lead.get(field) or "") for field in ("email", "name", "company"))
    return Hit(
        name or email or "A lead without a name",
        url_for("lead_card.show", lead_id=lead["_id"]),
        " · ".join(filter(None, [email, company])),
        str(lead.get("status") or ""),
    )


def _people(db: Db, user: User, q: str) -> list[Hit]:
    """Users by the beginning of their address; who works here also by name."""
    begins = {"email": {"$regex": f"^{re.escape(q.lower())}"}}
    by_address = list(db.users.find(begins).sort("email", 1).limit(MOST))
    named = {"name": {"$regex": re.escape(q), "$options": "i"}}
    by_name = db.users.find({**staff.STAFF, **named}).limit(MOST)
    found = {person["_id"]: person for person in [*by_address, *by_name]}
    return [_person(person) for person in list(found.values())[:MOST]]


def _person(person: Document) -> Hit:
    role = str(person.get("role") or "").capitalize()
    detail = " · ".join(filter(None, [str(person["email"]), role]))
    url = url_for("users.show", user_id=person["_id"])
    return Hit(staff.name_of(person), url, detail, str(person.get("status") or ""))


def _entries(db: Db, user: User, q: str) -> list[Hit]:
    page, _ = entries.list_page(db, user, {"q": q})
    return [
        Hit(
            entries.title(entry),
            url_for("journal.show", entry_id=entry["id"]),
            _around(entry["text"], q),
            at=entry["at"],
        )
        for entry in page.items[:FEW]
    ]


def _documents(db: Db, user: User, q: str) -> list[Hit]:
    page, _ = documents.search(db, {"q": q})
    return [
        Hit(
            str(document["title"]),
            _source_url(document, q),
            _around(str(document["text"]), q),
            at=document["date"],
        )
        for document in page.items[:FEW]
    ]


SOURCES = {
    "journal_entries": ("journal.show", "entry_id"),
    "goals": ("goals.show", "goal_id"),
    "leads": ("lead_card.show", "lead_id"),
}


def _source_url(document: Document, q: str) -> str:
    """Documents have no pages: what they were made of has."""
    if document["type"] not in SOURCES:
        return url_for("sync_pages.index", q=q, type=document["type"])
    endpoint, name = SOURCES[document["type"]]
    return url_for(endpoint, **{name: document["sourceId"]})


def _jobs(db: Db, user: User, q: str) -> list[Hit]:
    """By the beginning of their id, or the six characters at its end that lists show."""
    if not re.fullmatch(r"\w{3,100}", q):
        return []
    return _jobs_by(db, user, {"_id": {"$regex": f"^{q}|{q}$"}})


def _jobs_by(db: Db, user: User, query: Document) -> list[Hit]:
    found = job_listing.find(db, {"$and": [job_filters.visible_to(user), query]}).limit(MOST)
    return [
        Hit(
            f"{job_listing.label(job)} {job['_id'][-6:]}",
            url_for("jobs.show", job_id=job["_id"]),
            f"{job['_id']} · by {job['userName']}",
            job["status"],
            job["createdAt"],
        )
        for job in found
    ]


EXCERPT = 200


def _around(text: str, q: str) -> str:
    """The part of `text` in which `q` begins."""
    begin = text.casefold().find(q.casefold()) - EXCERPT // 4
    if begin > 0:
        text = f"… {text[begin:].partition(' ')[2]}"
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT].rpartition(' ')[0]} …"


def _all(endpoint: str) -> Callable[[str], str]:
    return lambda q: url_for(endpoint, q=q)


def _nowhere(q: str) -> str:
    return ""


SEARCHES: list[tuple[str, str, Search, Callable[[str], str]]] = [
    ("exact", "Exactly this", _exact, _nowhere),
    ("leads", "Leads", _leads, _all("leads.index")),
    ("people", "People", _people, _nowhere),
    ("journal", "Journal", _entries, _all("journal.index")),
    ("documents", "Documents", _documents, _all("sync_pages.index")),
    ("jobs", "Jobs", _jobs, _nowhere),
]
# Nothing for agents.
OFFICE = ("people", "documents")
