from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmapp.sync import fields
from crmapp.sync.source import Content, Source

TEXTS = ("email", "phone", "company", "source", "status")


class Leads(Source):
    """Whom the company may win as customers."""

    type = "leads"
    label = "Sync of leads"
    item = "lead"
    items = "leads"
    collection = "leads"
    fields = ("name", *TEXTS, "notes", "agentId", "createdAt")

    def content(self, item: Mapping[str, Any]) -> Content:
        about = {name: fields.text(item, name) for name in TEXTS}
        notes = fields.text(item, "notes", most=fields.LONGEST_TEXT)
        lines = (about["company"], about["email"], about["phone"], notes)
        return Content(
            title=fields.text(item, "name") or fields.needed_text(item, "email"),
            text="\n".join(line for line in lines if line),
            metadata=about,
            owner_id=fields.identity(item, "agentId"),
            date=fields.time(item, "createdAt"),
        )
