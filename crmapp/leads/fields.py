"""The fields of a lead: what each may hold, and a new lead with all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bson import ObjectId

from crmapp.database import Document
from crmapp.leads import words
from crmapp.leads.leads import LeadStatus
from crmapp.requests import BadInput

LONGEST = {"name": 200, "phone": 200, "company": 200, "source": 200, "notes": 10_000}  # characters
# The states that a person or a file may give; the others belong to activations.
STAGES = (LeadStatus.NEW.value, LeadStatus.CONTACTED.value, LeadStatus.QUALIFIED.value)
MOST_TAGS = 20
LONGEST_TAG = 40
# Tags are joined by these in files and in forms.
_SEPARATORS = re.compile(r"[;,\x00-\x1f\x7f]")


def tag(value: str) -> str:
    """`value` as a tag, without needless spaces. Raises BadInput."""
    name = " ".join(value.split())
    if not name:
        raise BadInput("A tag must not be empty.")
    if len(name) > LONGEST_TAG:
        raise BadInput(f"The tag {name[:20]}… is longer than {LONGEST_TAG} characters.")
    if _SEPARATORS.search(name):
        raise BadInput(f"The tag {name} holds a comma or a semicolon: these separate tags.")
    return name


def tags(values: Iterable[str]) -> list[str]:
    """Every tag once, in their order; capitals make no other tag. Raises BadInput."""
    unique: dict[str, str] = {}
    for value in values:
        name = tag(value)
        unique.setdefault(name.casefold(), name)
    if len(unique) > MOST_TAGS:
        raise BadInput(f"A lead can have {MOST_TAGS} tags at most.")
    return list(unique.values())


def new_lead(identity: ObjectId, values: Document, time: datetime, **more: Any) -> Document:
    """A lead with every field. `values` are checked already."""
    blank = {"name": "", "email": "", **dict.fromkeys(LONGEST, ""), "status": LeadStatus.NEW.value}
    lead = {"_id": identity, **blank, "tags": [], **values, "createdAt": time, "updatedAt": time}
    return {**lead, "words": words.of(lead), **more}
