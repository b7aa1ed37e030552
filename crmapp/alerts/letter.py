"""The mail that tells superadmins of an alert: once for each time that it begins, and at most one an hour of a kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from bson import ObjectId
from flask import current_app
from pymongo.errors import DuplicateKeyError

from crmapp.accounts.users import Role, UserStatus
from crmapp.clock import now
from crmapp.database import Db, Document
from crmapp.live.blueprint import live
from crmapp.mailqueue import health, queue
from crmapp.mailqueue.letter import Letter

TEMPLATE = "alert"
KEY: Document = {"_id": "alertMails"}
AT_MOST_EVERY = timedelta(hours=1)


def tell(db: Db, items: list[Document]) -> None:
    """Queue the mails about those of `items` that were not yet told of. Raises PyMongoError."""
    told = db.projections.find_one(KEY) or {}
    for item in items:
        last = told.get(item["condition"])
        if last and (item["since"] == last["since"] or now() - last["at"] < AT_MOST_EVERY):
            continue
        if _claim(db, item, last):
            _queue(db, item)


def _claim(db: Db, item: Document, last: Document | None) -> bool:
    """Whether it is this process that tells of it. A crash right after this costs one mail; the pages tell it too."""
    name = item["condition"]
    note = {"$set": {name: {"since": item["since"], "at": now()}}}
    try:
        result = db.projections.update_one({**KEY, name: last}, note, upsert=last is None)
    except DuplicateKeyError:
        return False
    return bool(result.modified_count or result.upserted_id)


def _queue(db: Db, item: Document) -> None:
    domain = urlsplit(current_app.config["PUBLIC_URL"]).hostname or "localhost"
    people = db.users.find({"role": Role.SUPERADMIN, "status": UserStatus.ACTIVE}, {"email": 1})
    mails = [
        {
            **queue.new_mail(TEMPLATE, person["_id"], person["email"], None, domain, now()),
            "alert": item,
        }
        for person in people
    ]
    if mails:
        queue.enqueue(db, mails)
        live.ring(queue.BELL)


def compose(db: Db, mails: list[Document]) -> Iterator[tuple[ObjectId, Letter | Exception]]:
    """The letters of these mails, each with its mail's id; an exception for one that cannot be made."""
    return ((mail["_id"], _write(mail)) for mail in mails)


def _write(mail: Document) -> Letter | Exception:
    """Also of what is over by now: that no worker was alive can be mailed only by one that is."""
    try:
        item, site = mail["alert"], current_app.config["PUBLIC_URL"]
        facts = {
            "text": health.plain(item["text"]),
            "day": f"{item['since']:%-d %B %Y}",
            "advice": item["advice"],
            "link": f"{site}{item['link'] or '/crm'}",
        }
        text, html = (
            current_app.jinja_env.get_template(f"mail/alert.{form}").render(facts)
            for form in ("txt", "html")
        )
        subject = f"crmapp at {urlsplit(site).hostname}: {SUBJECTS[item['condition']]}"
        return Letter(mail["email"], subject, text, html)
    except Exception as error:
        return error


SUBJECTS = {
    "no_worker": "no worker is alive",
    "mail_fails": "much mail fails",
    "standalone": "MongoDB is a standalone",
    "disk_full": "MongoDB's disk is nearly full",
}
