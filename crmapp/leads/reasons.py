"""Why a row of a file is not imported."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    NO_EMAIL = "no_email"
    NOT_AN_ADDRESS = "not_an_address"
    DUPLICATE = "duplicate"
    TOO_LONG = "too_long"
    BAD_TAG = "bad_tag"
    UNKNOWN_AGENT = "unknown_agent"
    BAD_DATE = "bad_date"
    BROKEN_QUOTING = "broken_quoting"
    TOO_MANY_CELLS = "too_many_cells"
    OTHER_DELIMITER = "other_delimiter"
    TOO_LONG_A_ROW = "too_long_a_row"
    UNREADABLE = "unreadable"


LABELS: dict[str, str] = {
    Reason.NO_EMAIL: "no e-mail address",
    Reason.NOT_AN_ADDRESS: "not an e-mail address",
    Reason.DUPLICATE: "the same address as an earlier row of the file",
    Reason.TOO_LONG: "a text is too long",
    Reason.BAD_TAG: "a tag cannot be used",
    Reason.UNKNOWN_AGENT: "no such agent",
    Reason.BAD_DATE: "not a date",
    Reason.BROKEN_QUOTING: "broken quoting",
    Reason.TOO_MANY_CELLS: "more cells than headings",
    Reason.OTHER_DELIMITER: "another delimiter than that of the headings",
    Reason.TOO_LONG_A_ROW: "the row is too long",
    Reason.UNREADABLE: "characters in an unknown encoding",
}
