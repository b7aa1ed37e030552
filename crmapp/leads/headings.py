"""The names that CRMs, address books and people give to the columns of a list of leads.

Covers the exports of Salesforce, HubSpot, Zoho, Pipedrive, Google Contacts and Outlook,
and the usual English, German, French, Spanish and Italian words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from crmapp.csvcells import text_of

# What a column may hold, and what that is called.
FIELDS = {
    "email": "E-mail",
    "name": "Full name",
    "firstName": "First name",
    "middleName": "Middle name",
    "lastName": "Last name",
    "phone": "Phone",
    "company": "Company",
    "source": "Source",
    "status": "Status",
    "tags": "Tags",
    "agent": "Agent",
    "notes": "Notes",
    "created": "Created",
}
PARTS_OF_NAME = ("firstName", "middleName", "lastName")

_WHOSE = r"(lead|person|contact|customer|client)?"
_KIND = (
    r"(work|business|office|company|corporate|home|personal|private|primary|main|other|secondary"
    r"|alternate|mobile|geschaftlich|privat)?"
)
_MAIL = r"e?mails?|correoelectronico|correo|courriel|postaelettronica"
_PHONE = (
    r"phone|telephone|telefono?|tel|mobile?(phone|telefon)?|cell(phone)?|cellulare|handy"
    r"|movil|portable|rufnummer"
)

# Matched against the whole heading in small letters without accents, digits or punctuation:
# "E-mail 1 - Value", "Prénom" and "Company / Account" are emailvalue, prenom and companyaccount.
BARE_NAME = "bare name"
_COLUMNS = {
    column: re.compile(pattern)
    for column, pattern in {
        "email": rf"{_WHOSE}{_KIND}({_MAIL})(address(es)?|adresse|id)?{_KIND}(value)?"
        r"|adresse(e?mail|electronique)",
        "name": rf"{_WHOSE}(full|complete|display)name|(lead|person|contact|customer|client)name"
        rf"|contact|{_WHOSE}contactperson|ansprechpartner|nomcomplet|nombrecompleto|nomecompleto",
        BARE_NAME: r"name|nom",
        "firstName": rf"{_WHOSE}(first|given|fore)name|first|vorname|prenom|nombres?|nome",
        "middleName": rf"{_WHOSE}(middle|additional)name",
        "lastName": rf"{_WHOSE}(last|family|sur)name|last|nachname|familienname|nomdefamille"
        r"|apellidos?|cognome",
        "phone": rf"{_WHOSE}{_KIND}({_PHONE})(number|nummer|no)?{_KIND}(value)?",
        "company": rf"{_WHOSE}(associated|primary)?company(name|account|accountname)?"
        rf"|account(name)?|{_WHOSE}organi[sz]ation(name)?|employer|business(name)?|firma|firmenname|unternehmen"
        r"|societe|entreprise|empresa|compania|azienda|societa",
        "source": rf"{_WHOSE}(original)?(traffic)?source(channel)?|leadquelle|quelle|herkunft"
        r"|orig[ie]ne?|fuente",
        "status": rf"{_WHOSE}status",
        "tags": r"tags?|schlagworter?|etiquetas?",
        "agent": r"agent",
        # As an export of ours calls it: what others call so is often written in a way that cannot be told for sure.
        "created": r"created(at)?",
        "notes": rf"{_WHOSE}(notes?|comments?|description|remarks?)|notiz(en)?|bemerkung(en)?"
        r"|kommentare?|beschreibung|commentaires?|remarques?|notas?|comentarios?"
        r"|observaciones|descripcion",
    }.items()
}


def understood(headings: Iterable[str]) -> list[str | None]:
    """Which of FIELDS each column holds, by its heading; None where that is none of them."""
    columns = [_column(heading) for heading in headings]
    # "Vorname, Name": what is called just a name is the last one beside a first one.
    split = "firstName" in columns and "lastName" not in columns
    bare = "lastName" if split else "name"
    return [bare if column == BARE_NAME else column for column in columns]


def recognised(headings: Iterable[str]) -> int:
    """How many different fields there are among them."""
    return len(set(understood(headings)) - {None})


def _column(heading: str) -> str | None:
    letters = "".join(filter(str.isalpha, unicodedata.normalize("NFKD", heading.casefold())))
    return next((name for name, pattern in _COLUMNS.items() if pattern.fullmatch(letters)), None)


class Columns:
    """Which columns of a file hold which field of a lead."""

    def __init__(self, fields: Iterable[str | None]) -> None:
        """`fields` are those of the columns, one after the other."""
        places: dict[str, list[int]] = {}
        for place, field in enumerate(fields):
            if field:
                places.setdefault(field, []).append(place)
        self._parts_of_name = [places.pop(part) for part in PARTS_OF_NAME if part in places]
        self._fields = list(places.items())

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """Return the row's fields, stripped. Parts of a name make the name where there is no full one.

        Empty ones are left out. Where several columns hold the same field, the first that is not empty counts.
        """
        values = {}
        for field, places in self._fields:
            if text := _first(cells, places):
                values[field] = text
        if self._parts_of_name and "name" not in values:
            parts = [_first(cells, places) for places in self._parts_of_name]
            if name := " ".join(filter(None, parts)):
                values["name"] = name
        return values


def _first(cells: Sequence[str], places: list[int]) -> str:
    for place in places:
        if place < len(cells) and (text := cells[place].strip()):
            return text_of(text)
    return ""
