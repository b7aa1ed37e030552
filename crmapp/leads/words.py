"""The words by which leads are found. Each is kept with its lead, so that an index finds what begins like it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from pymongo import UpdateOne

from crmapp.database import Db, Document

# Letters that are other letters with a stroke, which Unicode does not take apart.
_STROKES = str.maketrans("øđłħıŧ", "odlhit")
_PIECES = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")
_PHONE = re.compile(r"[\d\s()+./-]*\d[\d\s()+./-]*")
MOST_WORDS = 60
ADDED_AT_ONCE = 500
LONGEST_WORD = 60


def of(lead: Document) -> list[str]:
    """What a search may be the beginning of: the words of name and company, the address, its domain and what these
    are made of, and the digits of the phone number from each group on."""
    found = dict.fromkeys(_of_email(plain(lead.get("email"))))
    for name in ("name", "company"):
        for word in plain(lead.get(name)).split():
            found[word] = None
            found |= dict.fromkeys(_PIECES.findall(word))
    found |= dict.fromkeys(_of_phone(plain(lead.get("phone"))))
    return list({word[:LONGEST_WORD]: None for word in list(found)[:MOST_WORDS]})


def _of_email(email: str) -> list[str]:
    """Without what is the beginning of another one, and the top level domain: each word costs a write."""
    local, _, domain = email.partition("@")
    pieces = [*_PIECES.findall(local)[1:], *_PIECES.findall(domain.rpartition(".")[0])[1:]]
    return [word for word in (email, domain, *pieces) if word]


def _of_phone(phone: str) -> list[str]:
    """From each group of digits on; also without the zeros that are dialled only inside of a country."""
    groups = _DIGITS.findall(phone)
    rests = ["".join(groups[first:]) for first in range(len(groups))]
    return [word for rest in rests for word in (rest, rest.lstrip("0")) if word]


def asked(q: str) -> list[str]:
    """The words of a search, as `of` would keep them. A phone number may be typed with spaces and signs."""
    text = plain(q)
    if _PHONE.fullmatch(text):
        digits = "".join(_DIGITS.findall(text))
        return [(digits.lstrip("0") or digits)[:LONGEST_WORD]]
    words = (word.lstrip("@").rstrip(",;") or word for word in text.split())
    return [word[:LONGEST_WORD] for word in words]


def add_missing(db: Db) -> bool:
    """Add the words of some leads that have none, because another program has written them. Says whether there were
    any."""
    fields = {"name": 1, "email": 1, "phone": 1, "company": 1}
    some = list(db.leads.find({"words": None}, fields).limit(ADDED_AT_ONCE))
    writes = [
        # Unless somebody has changed the lead meanwhile, and its words with it.
        UpdateOne({"_id": lead["_id"], "words": None}, {"$set": {"words": of(lead)}})
        for lead in some
    ]
    if writes:
        db.leads.bulk_write(writes, ordered=False)
    return bool(writes)


def plain(value: Any) -> str:
    """Small letters without accents; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    if value.isascii():
        return value.lower()
    letters = unicodedata.normalize("NFKD", value.casefold())
    return "".join(c for c in letters if not unicodedata.combining(c)).translate(_STROKES)
