"""The names that CRMs, address books and people give to the columns of a list of leads.

Covers the exports of Salesforce, HubSpot, Zoho, Pipedrive, Google Contacts and Outlook,
and the usual English, German, French, Spanish and Italian words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

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
_COLUMNS = {
    column: re.compile(pattern)
    for column, pattern in {
        "email": rf"{_WHOSE}{_KIND}({_MAIL})(address(es)?|adresse|id)?{_KIND}(value)?"
        r"|adresse(e?mail|electronique)",
        "name": rf"{_WHOSE}(full|complete|display)name|(lead|person|contact|customer|client)name"
        rf"|contact|{_WHOSE}contactperson|ansprechpartner|nomcomplet|nombrecompleto|nomecompleto",
        "bare name": r"name|nom",
        "first name": rf"{_WHOSE}(first|given|fore)name|first|vorname|prenom|nombres?|nome",
        "middle name": rf"{_WHOSE}(middle|additional)name",
        "last name": rf"{_WHOSE}(last|family|sur)name|last|nachname|familienname|nomdefamille"
        r"|apellidos?|cognome",
        "phone": rf"{_WHOSE}{_KIND}({_PHONE})(number|nummer|no)?{_KIND}(value)?",
        "company": rf"{_WHOSE}(associated|primary)?company(name|account|accountname)?"
        rf"|account(name)?|{_WHOSE}organi[sz]ation(name)?|employer|business(name)?|firma|firmenname|unternehmen"
        r"|societe|entreprise|empresa|compania|azienda|societa",
        "source": rf"{_WHOSE}(original)?(traffic)?source(channel)?|leadquelle|quelle|herkunft"
        r"|orig[ie]ne?|fuente",
        "status": rf"{_WHOSE}status",
        "notes": rf"{_WHOSE}(notes?|comments?|description|remarks?)|notiz(en)?|bemerkung(en)?"
        r"|kommentare?|beschreibung|commentaires?|remarques?|notas?|comentarios?"
        r"|observaciones|descripcion",
    }.items()
}
_FIELDS = ("email", "name", "phone", "company", "source", "status", "notes")
_PARTS_OF_NAME = ("first name", "middle name", "last name")


class Columns:
    """Which columns of a file hold which field of a lead."""

    def __init__(self, headings: Iterable[str]) -> None:
        """`headings` are the cells of the first row. Columns of other names are ignored."""
        places: dict[str, list[int]] = {column: [] for column in _COLUMNS}
        for place, heading in enumerate(headings):
            if column := _column(heading):
                places[column].append(place)
        # "Vorname, Name": what is called just a name is the last one beside a first one.
        split = places["first name"] and not places["last name"]
        places["last name" if split else "name"] += places["bare name"]
        self._fields = [(field, places[field]) for field in _FIELDS if places[field]]
        self._parts_of_name = [places[part] for part in _PARTS_OF_NAME if places[part]]
        self.recognised = sum(map(bool, places.values()))
        self.has_email = bool(places["email"])

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """Return the row's fields (email, name, phone, company, source, status, notes), stripped.

        Empty ones are left out. Where several columns hold the same field, the first that is not
        empty counts. A first and a last name make the name where there is no full one.
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


def _column(heading: str) -> str | None:
    letters = "".join(filter(str.isalpha, unicodedata.normalize("NFKD", heading.casefold())))
    return next((name for name, pattern in _COLUMNS.items() if pattern.fullmatch(letters)), None)


def _first(cells: Sequence[str], places: list[int]) -> str:
    for place in places:
        if place < len(cells) and (text := cells[place].strip()):
            return text
    return ""
