from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmapp.sync import fields
from crmapp.sync.source import Content, Source


class Goals(Source):
    """What people are to reach, and how far they are."""

    type = "goals"
    label = "Sync of goals"
    item = "goal"
    items = "goals"
    collection = "goals"
    fields = ("title", "notes", "target", "progress", "unit", "from", "to", "userId")

    def content(self, item: Mapping[str, Any]) -> Content:
        return Content(
            title=fields.needed_text(item, "title"),
            text=fields.text(item, "notes", most=fields.LONGEST_TEXT),
            metadata={
                "target": fields.needed_number(item, "target"),
                "progress": fields.needed_number(item, "progress"),
                "unit": fields.text(item, "unit"),
                "from": fields.time(item, "from"),
                "to": fields.time(item, "to"),
            },
            owner_id=fields.identity(item, "userId"),
            date=fields.time(item, "from"),
        )
