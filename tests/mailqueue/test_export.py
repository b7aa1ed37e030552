"""The list as a CSV file."""

import csv
import io

import pytest

from crmapp import csvcells
from crmapp.mailqueue.export import COLUMNS
from tests.mailqueue.desk import failed, pending, sent

EXPORT = "/crm/email-queue/export.csv"


def read(answer):
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_what_is_listed_is_exported(api, db):
    mail = failed(db, "a@example.com", reason="timeout", error='it said "no",\nand left')
    failed(db, "b@example.com", reason="mailbox_full")
    answer = api.get(f"{EXPORT}?state=failed&reason=timeout")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="email-failed.csv"'
    (row,) = read(answer)
    assert list(row) == list(COLUMNS)
    assert (row["E-mail"], row["Reason"]) == ("a@example.com", "timeout")
    assert row["Server's words"] == 'it said "no",\nand left'
    assert row["Queued"] == mail["createdAt"].strftime("%Y-%m-%dT%H:%M:%SZ")
    assert row["Sent"] == ""


def test_every_page_of_it_newest_first(api, db):
    for number in range(120):
        pending(db, f"lead{number}@example.com")
    exported = [row["E-mail"] for row in read(api.get(EXPORT))]
    assert exported == [f"lead{number}@example.com" for number in range(119, -1, -1)]


def test_sent_mail_comes_with_the_servers_answer(api, db):
    sent(db, "ivy@example.com")
    (row,) = read(api.get(f"{EXPORT}?state=sent"))
    assert (row["Server's words"], row["State"]) == ("250 Taken", "sent")
    assert row["Sent"].endswith("Z")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(api, db, start):
    failed(db, f"{start}cmd@example.com", error=f"{start}HYPERLINK(1)")
    (row,) = read(api.get(f"{EXPORT}?state=failed"))
    assert row["E-mail"] == f"'{start}cmd@example.com"
    assert row["Server's words"] == f"'{start}HYPERLINK(1)"


def test_the_file_comes_in_pieces_while_it_is_read():
    given = []

    def rows():
        for number in range(100_000):
            given.append(number)
            yield (number, "some text of a row")

    pieces = csvcells.to_csv(["number", "text"], rows())
    assert next(pieces).startswith("number,text\r\n0,some text")
    assert len(given) < 2000
    assert sum(piece.count("\r\n") for piece in pieces) + len(given[:1]) > 90_000


def test_an_empty_list_is_a_file_of_headings(api):
    assert api.get(f"{EXPORT}?state=dropped").text == ",".join(COLUMNS) + "\r\n"
