from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmapp.journal.fields import Kind
from crmapp.sync import fields
from crmapp.sync.source import Content, Source


class JournalEntries(Source):
    """Calls, notes and meetings."""

    type = "journal_entries"
    label = "Sync of journal entries"
    item = "journal entry"
    items = "journal entries"
    collection = "journal_entries"
    fields = ("text", "kind", "at", "leadId", "authorId", "authorName")

    def content(self, item: Mapping[str, Any]) -> Content:
        text = fields.needed_text(item, "text", most=fields.LONGEST_TEXT)
        kind = fields.one_of(item, "kind", list(Kind))
        return Content(
            title=f"{kind.capitalize()}: {fields.first_line(text)}",
            text=text,
            metadata={
                "kind": kind,
                "leadId": fields.identity(item, "leadId"),
                "authorName": fields.text(item, "authorName"),
            },
            owner_id=fields.identity(item, "authorId"),
            date=fields.needed_time(item, "at"),
        )
