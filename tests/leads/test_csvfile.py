import io
import random

import pytest

from crmapp.leads.csvfile import BadRow, NotACsv, Plain, Row, Table, read, read_on
from crmapp.leads.headings import Columns, understood

ANN = {"name": "Ann Lee", "email": "ann@x.com", "company": "Lee & Söhne"}


def table(content: str | bytes) -> Table:
    return read(Plain(io.BytesIO(content.encode() if isinstance(content, str) else content)))


def rows(content: str | bytes) -> list[tuple[int, dict[str, str] | str]]:
    """The number of each row with its fields, or with what is wrong with it."""
    found = table(content)
    columns = Columns(understood(found.headings))
    return [(row.number, _told(row, columns)) for row in found]


def _told(row: Row | BadRow, columns: Columns) -> dict[str, str] | str:
    return columns.values(row.cells) if isinstance(row, Row) else row.words


def row(number: int, **values: str) -> tuple[int, dict[str, str]]:
    return number, values


def bad(number: int, words: str) -> tuple[int, str]:
    return number, words


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("last_end", [True, False])
def test_what_spreadsheets_save(encoding, delimiter, end, last_end):
    lines = ["Name;E-Mail;Firma", "Ann Lee;ann@x.com;Lee & Söhne", '"Bo ""B"" Ek";bo@x.com;']
    text = end.join(lines).replace(";", delimiter) + end * last_end
    assert rows(text.encode(encoding)) == [
        row(2, **ANN),
        row(3, name='Bo "B" Ek', email="bo@x.com"),
    ]


def test_utf_16_of_either_byte_order():
    text = "\ufeffEmail\tFirma\r\nann@x.com\tŁódź 東京\r\n"
    for encoding in ("utf-16-le", "utf-16-be"):
        assert rows(text.encode(encoding)) == [row(2, email="ann@x.com", company="Łódź 東京")]


def test_a_windows_1252_byte_late_in_a_utf_8_file_costs_nothing():
    line = "ann{}@x.com,Łódź\n"
    text = "Email,Name\n" + "".join(line.format(n) for n in range(20_000))
    found = rows(text.encode() + b"bo@x.com,S\xf6ren\x80\n" + "zed@x.com,Šárka\n".encode())
    assert found[0] == row(2, email="ann0@x.com", name="Łódź")
    assert found[19_999] == row(20_001, email="ann19999@x.com", name="Łódź")
    assert found[20_000:] == [
        row(20_002, email="bo@x.com", name="Sören€"),
        row(20_003, email="zed@x.com", name="Šárka"),
    ]


def test_lines_across_the_blocks_in_which_a_file_is_read():
    made = random.Random(3)
    lines = ["Email,Name,Notes"]
    wanted = []
    number = 2
    for n in range(3000):
        note = "\n".join("ü" * made.randint(1, 60) for _ in range(made.randint(1, 3)))
        lines.append(f'a{n}@x.com,Ann,"{note}"')
        wanted.append(row(number, email=f"a{n}@x.com", name="Ann", notes=note))
        number += note.count("\n") + 1
    text = "\n".join(lines)
    assert rows(text.replace("\n", "\r\n")) == wanted
    assert rows(text.replace("\n", "\r")) == wanted
    assert rows(text.encode("utf-16")) == wanted


def test_a_stream_is_not_read_ahead():
    body = b"Email\n" + b"ann@x.com\n" * 100_000
    stream = io.BytesIO(body)
    next(iter(read(Plain(stream))))
    assert stream.tell() < len(body) / 2


def test_excel_names_the_delimiter_on_a_line_of_its_own():
    assert rows('sep=;\r\n"Name, first";Email;Company\r\nAnn;ann@x.com;Lee, Inc\r\n') == [
        row(3, email="ann@x.com", company="Lee, Inc")
    ]
    assert rows("SEP=\t\r\nEmail\tName\r\nann@x.com\tAnn\r\n") == [
        row(3, email="ann@x.com", name="Ann")
    ]


def test_the_delimiter_is_looked_for_outside_of_quotes():
    text = '"Notes, comments; remarks, and such";Email;Name\n"1,2,3";ann@x.com;"Lee, Ann"\n'
    assert rows(text) == [row(2, email="ann@x.com", name="Lee, Ann")]


def test_a_heading_with_a_line_break():
    assert rows('"Notes\n(internal)",Email,Name\nx,ann@x.com,Ann\n') == [
        row(3, email="ann@x.com", name="Ann")
    ]


def test_quoted_line_breaks_belong_to_the_cell_and_count_as_lines():
    text = 'Email,Notes\r\nann@x.com,"one\r\n\r\n""two"", three"\r\nbo@x.com,x\r\n'
    assert rows(text) == [
        row(2, email="ann@x.com", notes='one\n\n"two", three'),
        row(5, email="bo@x.com", notes="x"),
    ]


def test_stray_blanks_and_empty_lines():
    text = (
        "\r\n,,\r\n Email , Name ,Company\r\n\r\n"
        ' ann@x.com ,\u00a0Ann ,  "Lee, Inc" \r\n   \r\n,,\r\n" ", ,\r\n'
        '"bo@x.com" , "Bo"\u00a0,"Ek ""&"" Co"  \r\n\r\n'
    )
    assert rows(text) == [
        row(5, email="ann@x.com", name="Ann", company="Lee, Inc"),
        row(9, email="bo@x.com", name="Bo", company='Ek "&" Co'),
    ]


def test_ragged_rows():
    """What is missing at a row's end is empty; nothing that a row holds is left out in silence."""
    assert rows("Name,Email,Phone\nAnn,ann@x.com\nBo\nCy,cy@x.com,1,,\nDi,di@x.com,1,2,3\n") == [
        row(2, name="Ann", email="ann@x.com"),
        row(3, name="Bo"),
        row(4, name="Cy", email="cy@x.com", phone="1"),
        bad(5, "has 5 cells, but there are 3 headings"),
    ]


def test_rows_with_another_delimiter_than_the_headings():
    assert rows("Name;Email\nAnn;ann@x.com\nBo,bo@x.com\nCy\tcy@x.com\n") == [
        row(2, name="Ann", email="ann@x.com"),
        bad(3, "cells are separated by commas, those of the headings by semicolons"),
        bad(4, "cells are separated by tabs, those of the headings by semicolons"),
    ]


def test_the_delimiter_of_headings_that_nobody_knows():
    assert table("Foo;Bar;Baz\n1;2;3\n").headings == ["Foo", "Bar", "Baz"]


def test_bytes_that_are_in_no_encoding():
    content = (
        b"Email,Name\nann@x.com,\x81\x8d\nbo@x.com,S\xf6ren\n" + '"cy@x.com","Łódź"\n'.encode()
    )
    assert rows(content) == [
        bad(2, "has characters that are neither in UTF-8 nor in Windows-1252"),
        row(3, email="bo@x.com", name="Sören"),
        row(4, email="cy@x.com", name="Łódź"),
    ]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"Email,Name\nann@x.com,Ann\n", "UTF-8"),
        ("Email,Name\nann@x.com,Łódź\n".encode(), "UTF-8"),
        ("Email,Name\nann@x.com,Zoë\n".encode("cp1252"), "Windows-1252"),
        ("Email,Name\nann@x.com,Łódź\n".encode("utf-16"), "UTF-16"),
        ("Email,Name\nann@x.com,Łódź\n".encode("utf-16-le"), "UTF-16"),
        ("Email,Name\nann@x.com,Łódź\n".encode("utf-16-be"), "UTF-16"),
    ],
)
def test_the_encoding_is_told(content, encoding):
    plain = Plain(io.BytesIO(content))
    assert b"".join(plain).startswith(b"Email") or encoding == "UTF-16"
    assert plain.encoding == encoding
    assert rows(content)[0][1]["email"] == "ann@x.com"


def test_blanks_within_a_quoted_cell_are_kept():
    assert rows('Email,Notes\nann@x.com,"say ""hi"" , then go"\n') == [
        row(2, email="ann@x.com", notes='say "hi" , then go')
    ]


def test_reading_goes_on_from_any_row():
    made = random.Random(5)
    lines = ["Email,Notes"]
    for n in range(400):
        note = made.choice(
            ["x", '"two\nlines"', '"broken', '"a" b', "é" * 200_000 if n == 77 else "y", '"q" ']
        )
        lines.append(f"a{n}@x.com,{note}")
    content = b"\r\n".join(
        line.encode("cp1252" if n % 3 else "utf-8") for n, line in enumerate(lines)
    )
    found, wanted, places = table(content), [], []
    places.append(found.place)
    for each in found:
        wanted.append(each)
        places.append(found.place)
    assert len(wanted) > 300
    for n in range(0, len(places), 7):
        rest = io.BytesIO(content[places[n].byte :])
        assert list(read_on([rest.read()], ",", found.headings, places[n])) == wanted[n:]


def test_quotes_within_a_cell_without_quotes_are_text():
    assert rows('Email,Notes\nann@x.com,5" pipe\nbo@x.com,the "boss"\n') == [
        row(2, email="ann@x.com", notes='5" pipe'),
        row(3, email="bo@x.com", notes='the "boss"'),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        '"Cy,cy@x.com',
        'Cy,"cy@x.com',
        '"Cy" Ek,cy@x.com',
        '"Cy "the man" Ek",cy@x.com',
        'Cy,cy@x.com,"',
    ],
)
@pytest.mark.parametrize("after", ["{name},{name}@x.com\n", '"{name}","{name}@x.com"\n'])
def test_broken_quoting_costs_one_row(broken, after):
    names = [f"n{n}" for n in range(2500)]
    text = f"Name,Email\nann,ann@x.com\n{broken}\n" + "".join(after.format(name=n) for n in names)
    assert rows(text) == [
        row(2, name="ann", email="ann@x.com"),
        bad(3, "broken quoting"),
        *(row(4 + n, name=name, email=f"{name}@x.com") for n, name in enumerate(names)),
    ]


@pytest.mark.parametrize("broken", ['"Ann,ann@x.com\n', 'Ann,ann@x.com,x","\n'])
def test_every_row_may_be_broken(broken):
    found = rows("Name,Email\n" + broken * 20_000 + "Bo,bo@x.com\n")
    assert found == [
        *(bad(2 + n, "broken quoting") for n in range(20_000)),
        row(20_002, name="Bo", email="bo@x.com"),
    ]


def test_a_row_without_end_is_one_bad_row():
    text = "Email,Name\nann@x.com,Ann\nbo@x.com," + "ö" * 2_000_000 + "\ncy@x.com,Cy\n"
    assert rows(text) == [
        row(2, email="ann@x.com", name="Ann"),
        bad(3, "row is longer than 131072 characters"),
        row(4, email="cy@x.com", name="Cy"),
    ]


def test_nul_bytes_are_dropped():
    assert rows(b"Email,Na\0me,Company\nann@x.com,A\0nn,Lee and her many friends\n\0\n") == [
        row(2, email="ann@x.com", name="Ann", company="Lee and her many friends")
    ]


def test_only_headings():
    assert rows("Email,Name\n") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty.*Email"),
        (b"\r\n \r\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\xff\xfe", "is empty"),
        (b"sep=;\r\n", "is empty"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0" + bytes(200), "Excel workbook.*Save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(200), "Excel workbook.*Save it as CSV"),
        (b"%PDF-1.7\n1 0 obj\nEmail,Name", "a PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture"),
        (b"\x1f\x8b\x08\0", "compressed"),
        (b"  <!DOCTYPE html><table><tr><td>Email</td>", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "XML"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nEMAIL:ann@x.com", "vCard"),
        (bytes(range(256)) * 20, "not a text file"),
        (random.Random(1).randbytes(5000), "not a text file"),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "a spreadsheet saved as XML.*CSV",
        ),
        (b"Ann,ann@x.com,Lee Inc\nBo,bo@x.com,Ek Inc\n", "has no headings"),
        (b'Name,"Email\nAnn,ann@x.com\n', "quoting of the first row"),
        (b"x" * 200_000, "too long for headings"),
    ],
)
def test_what_is_no_csv_of_leads_is_refused_with_advice(content, message):
    with pytest.raises(NotACsv, match=message):
        table(content)
