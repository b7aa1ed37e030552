"""The page of the documents, and its JSON twin."""

from __future__ import annotations

import re

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from crmapp.accounts import staff
from crmapp.accounts.access import signed_in, wants_json
from crmapp.database import db
from crmapp.sync import documents, latest, sources
from crmapp.wire import success

sync_pages = Blueprint("sync_pages", __name__, url_prefix="/sync")


@sync_pages.get("")
def index() -> ResponseReturnValue:
    page, filter = documents.search(db, request.args.to_dict())
    counts = documents.counts_by_type(db)
    if wants_json():
        return success({**page.to_dict(), "counts": counts})
    owners = staff.names(documents.owners(db))
    types = {type: source.items.capitalize() for type, source in sources.every().items()}
    return render_template(
        "sync/index.html",
        page=page,
        filter=filter,
        counts=counts,
        sources=sources.every(),
        latest=latest.of_each(db, signed_in()),
        labels={"owner": owners, "type": types},
        highlighted=highlighted,
    )


def highlighted(text: str, q: str) -> list[tuple[str, bool]]:
    """The pieces of `text`, each with whether it is one of the words of the search `q`."""
    words = [re.escape(word) for word in re.findall(r"\w+", q)]
    if not words:
        return [(text, False)]
    # Splitting by a pattern with one group gives: text, word, text, word, text.
    pieces = re.split(rf"\b({'|'.join(words)})", text, flags=re.IGNORECASE)
    return [(piece, number % 2 == 1) for number, piece in enumerate(pieces) if piece]
