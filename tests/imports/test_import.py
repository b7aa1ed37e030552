"""A file is brought, looked at, and imported as a job."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.imports import files, imports, routes
from crmapp.leads import csvfile
from tests.imports.desk import IMPORTS
from tests.support.work import claim_all, new_runner, refresh

FILE = (
    "Firma;Mail;Who;Tags;Agent;Created;Colour\n"
    "Lee Ltd;ann@x.com;Ann Lee;vip;bo@example.com;2025-03-04;red\n"
    "Ek AB;bo@x.com;Bo Ek;;;;\n"
    ";;No Mail;;;;\n"
    "Again;ANN@x.com;Ann;;;;\n"
)


def test_how_a_file_is_understood(desk):
    brought = desk.bring(FILE)
    assert (brought["file"], brought["encoding"], brought["delimiter"]) == (
        "leads.csv",
        "UTF-8",
        "semicolons",
    )
    assert [(c["heading"], c["field"]) for c in brought["columns"]] == [
        ("Firma", "company"),
        ("Mail", "email"),
        ("Who", None),
        ("Tags", "tags"),
        ("Agent", "agent"),
        ("Created", "created"),
        ("Colour", None),
    ]
    assert brought["columns"][2]["examples"] == ["Ann Lee", "Bo Ek", "No Mail"]
    assert brought["rows"][1] == ["Ek AB", "bo@x.com", "Bo Ek", "", "", "", ""]
    assert desk.db.leads.count_documents({}) == 0


def test_a_preview_says_what_the_import_then_does(desk, new_person, new_leads):
    new_person("bo@example.com", Role.AGENT)
    new_leads(1, email="bo@x.com", name="Bo")
    brought = desk.bring(FILE)
    seen = desk.preview(brought["id"], column_2="name")
    assert {name: seen[name] for name in ("rows", "new", "updated", "duplicates", "bad")} == {
        "rows": 4,
        "new": 1,
        "updated": 1,
        "duplicates": 1,
        "bad": 1,
    }
    assert seen["complete"]
    assert seen["reasons"] == {"no_email": 1, "duplicate": 1}
    assert seen["examples"] == [
        {"row": 4, "reason": "no e-mail"},
        {"row": 5, "reason": "duplicate in the file of row 2"},
    ]
    assert desk.db.leads.count_documents({}) == 1

    job_id = desk.start(brought["id"], column_2="name")
    desk.run()
    assert desk.counts(job_id) == {"total": 4, "imported": 1, "updated": 1, "failed": 2}


def test_what_an_import_writes(desk, admin, new_person, new_leads):
    agent = new_person("bo@example.com", Role.AGENT)
    (there,) = new_leads(1, email="bo@x.com", name="Bo", notes="kept", status="contacted")
    job_id = desk.do(FILE, column_2="name")
    job = desk.db.jobs.find_one({"_id": job_id})
    ann = desk.db.leads.find_one({"email": "ann@x.com"})
    assert "lee" in ann.pop("words")
    assert ann.pop("_id")
    assert ann == {
        "name": "Ann Lee",
        "email": "ann@x.com",
        "phone": "",
        "company": "Lee Ltd",
        "source": "",
        "notes": "",
        "status": "new",
        "tags": ["vip"],
        "agentId": agent.key,
        "createdAt": datetime(2025, 3, 4, tzinfo=UTC),
        "updatedAt": job["importedAt"],
        "createdBy": admin.who,
        "importId": job_id,
    }
    bo = desk.db.leads.find_one({"_id": there})
    assert (bo["name"], bo["company"], bo["notes"]) == ("Bo Ek", "Ek AB", "kept")
    assert (bo["status"], bo["updatedAt"]) == ("contacted", job["importedAt"])
    assert "ek" in bo["words"]
    assert "importId" not in bo
    (event,) = desk.db.events.find({"leadId": there})
    assert (event["type"], event["how"], event["jobId"]) == ("lead_changed", "import", job_id)
    assert event["changes"] == {"name": ["Bo", "Bo Ek"], "company": ["Some Company", "Ek AB"]}


def test_a_lead_that_stays_as_it_is_is_not_written(desk):
    desk.do(FILE.replace(";bo@example.com", ";"), column_2="name")
    before = list(desk.db.leads.find())
    again = desk.do(FILE.replace(";bo@example.com", ";"), column_2="name")
    assert desk.counts(again) == {"total": 4, "unchanged": 2, "failed": 2}
    assert list(desk.db.leads.find()) == before


def test_bad_rows_come_back_with_their_reasons(desk, new_person):
    new_person("bo@example.com", Role.AGENT)
    new_person("other@example.com", Role.AGENT)
    desk.db.users.update_many({"role": "agent"}, {"$set": {"name": "Sam"}})
    long = "x" * 201
    job_id = desk.do(
        "Email,Name,Tags,Agent,Created\n"
        "ann@x.com,Ann,,,\n"
        '"not, an address",=cmd(),,,\n'
        f"b@x.com,{long},,,\n"
        f"c@x.com,,{'t' * 41},,\n"
        "d@x.com,,,Nobody,\n"
        "e@x.com,,,sam,\n"
        "f@x.com,,,,31/01/2026\n"
        "g@x.com,,,,,more\n"
        '"broken,h@x.com\n'
        "i@x.com;i\n"
        "Ann@x.com,again,,,\n"
        "j@x.com,Jo,,BO@example.com,2026-01-31T10:00:00+02:00\n"
    )
    assert desk.counts(job_id) == {"total": 12, "imported": 2, "failed": 10}
    answer = desk.bad_rows(job_id)
    assert "leads-bad-rows.csv" in answer.headers["Content-Disposition"]
    header, *rows = csv.reader(io.StringIO(answer.text))
    assert header == ["Reason", "Email", "Name", "Tags", "Agent", "Created"]
    assert [row[0] for row in rows] == [
        "not an address: not, an address",
        "name is longer than 200 characters",
        f"The tag {'t' * 20}… is longer than 40 characters.",
        "agent Nobody: nobody on the staff",
        "agent sam: more than one is called so, give the e-mail address",
        "not a date like 2026-01-31: 31/01/2026",
        "has 6 cells, but there are 5 headings",
        "broken quoting",
        "cells are separated by semicolons, those of the headings by commas",
        "duplicate in the file of row 2",
    ]
    assert rows[0][1:] == ["not, an address", "'=cmd()", "", "", ""]
    assert rows[6][1:] == ["g@x.com", "", "", "", "", "more"]
    assert rows[7][1:] == ['"broken,h@x.com']
    shown = desk.api.get(f"/crm/jobs/{job_id}/errors").json["data"]
    assert shown["total"] == 10
    assert shown["items"][3]["label"] == "no such agent"
    # Corrected, that file can be imported as it is.
    corrected = answer.text.replace('"not, an address"', "a@x.com")
    desk.do(corrected)
    assert desk.db.leads.find_one({"email": "a@x.com"})["name"] == "=cmd()"


def test_two_columns_of_one_field(desk):
    desk.do("Email,Email,Phone,Phone\n,b@x.com,,2\na@x.com,c@x.com,1,2\n")
    assert [(lead["email"], lead["phone"]) for lead in desk.db.leads.find().sort("email")] == [
        ("a@x.com", "1"),
        ("b@x.com", "2"),
    ]


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"", 415, "The file is empty"),
        (b"Email,Name\n", 422, "holds headings and nothing else"),
        (b"PK\x03\x04\x14\0\x06\0" + bytes(200), 415, "Excel workbook or a ZIP archive"),
        (b'<?xml version="1.0"?><Workbook>', 415, "XML file, not a CSV"),
        (bytes(range(256)) * 99, 415, "not a text file"),
        (b"Ann,ann@x.com\nBo,bo@x.com\n", 415, "no headings"),
        (b'"Email,Name\nann@x.com,Ann\n', 415, "quoting of the first row"),
        (b"Email" + b",x" * 500 + b"\na@x.com\n", 422, "more than 500 columns"),
    ],
)
def test_a_file_that_is_no_list_of_leads_is_refused_and_not_kept(desk, content, status, message):
    answer = desk.send(content)
    assert (answer.status_code, answer.json["success"]) == (status, False)
    assert message in answer.json["msg"]
    assert desk.db.import_blocks.count_documents({}) == 0
    assert desk.db.imports.count_documents({}) == 0


def test_wrong_encodings_cost_no_more_than_their_rows(desk):
    mixed = b"Email,Name\nann@x.com,Zo\xeb\n" + "bo@x.com,Łódź\n".encode() + b"c@x.com,\x81\n"
    brought = desk.bring(mixed)
    assert brought["encoding"] == "Windows-1252"
    job_id = desk.start(brought["id"])
    desk.run()
    assert desk.counts(job_id) == {"total": 3, "imported": 2, "failed": 1}
    assert [lead["name"] for lead in desk.db.leads.find().sort("email")] == ["Zoë", "Łódź"]
    utf16 = desk.do("Email\tName\nd@x.com\tŁódź\n".encode("utf-16-le"))
    assert desk.counts(utf16) == {"total": 1, "imported": 1}


def test_nuls_are_dropped(desk):
    assert desk.counts(desk.do(b"Email,Name\nann@x.com,A\0nn and her friends\n"))["imported"] == 1
    assert desk.db.leads.find_one()["name"] == "Ann and her friends"


def test_without_a_column_for_the_address_one_has_to_be_chosen(desk):
    brought = desk.bring("Who,Reach\nAnn,ann@x.com\n")
    for action in ("preview", "start"):
        answer = desk.api.post(f"{IMPORTS}/{brought['id']}/{action}", {})
        assert answer.status_code == 422
        assert answer.json["msg"] == "Choose the column that holds the e-mail addresses."
    job_id = desk.start(brought["id"], column_0="name", column_1="email")
    desk.run()
    assert desk.counts(job_id) == {"total": 1, "imported": 1}
    assert desk.db.leads.find_one()["name"] == "Ann"


@pytest.mark.parametrize(
    "mapping", [{"9": "email"}, {"0": "colour"}, {"x": "email"}, {"0": 1}, ["email"], {"-1": None}]
)
def test_a_mapping_that_cannot_be_used(desk, mapping):
    brought = desk.bring("Email\nann@x.com\n")
    answer = desk.api.post(f"{IMPORTS}/{brought['id']}/preview", {"mapping": mapping})
    assert answer.status_code == 400
    assert answer.json["msg"]


def test_a_second_press_starts_nothing_twice(desk):
    brought = desk.bring("Email,Name\nann@x.com,Ann\n")
    assert desk.start(brought["id"]) == desk.start(brought["id"], column_1=None)
    desk.run()
    assert desk.db.leads.find_one()["name"] == "Ann"
    again = desk.api.post(f"{IMPORTS}/{brought['id']}/start", {})
    assert again.status_code == 409


def test_the_file_goes_once_it_is_imported_and_when_nobody_wants_it(desk):
    brought = desk.bring("Email\nann@x.com\n")
    expires = {"expireAt": {"$gt": now() + timedelta(hours=23)}}
    assert desk.db.imports.count_documents(expires) == 1
    assert desk.db.import_blocks.count_documents(expires) == 1
    desk.start(brought["id"])
    stays = {"expireAt": None}
    assert desk.db.imports.count_documents(stays) == 1
    assert desk.db.import_blocks.count_documents(stays) == 1
    desk.run()
    assert desk.db.import_blocks.count_documents({}) == 0
    assert desk.db.imports.count_documents(stays) == 1


def test_only_the_owner_and_superadmins_see_an_import(desk, new_api, new_person):
    import_id = desk.do("Email\nbo@x.com\n")
    other = new_api(new_person("other@example.com"))
    assert other.get(f"{IMPORTS}/{import_id}").status_code == 403
    assert other.post(f"{IMPORTS}/{import_id}/undo", {}).status_code == 403
    assert other.get("/crm/leads/import").json["data"]["items"] == []
    root = new_api(new_person("root@example.com", Role.SUPERADMIN))
    (shown,) = root.get("/crm/leads/import").json["data"]["items"]
    assert (shown["id"], shown["state"], shown["counts"]["imported"]) == (import_id, "imported", 1)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(desk, monkeypatch):
    monkeypatch.setattr(routes, "LARGEST_FILE", 1000)
    monkeypatch.setattr(routes, "FORM_BYTES", 1000)
    answer = desk.send(b"Email\n" + b"ann@x.com\n" * 300)
    assert answer.status_code == 413
    assert "256 MB" in answer.json["msg"]


def many(count):
    """A file of several chunks, with every kind of row in each."""
    lines = ["Email,Name,Notes"]
    for n in range(count):
        kind = n % 50
        lines.append(
            {
                7: "nobody,x,",
                11: f"a{n - 1}@x.com,again,",
                13: '"broken,x',
                17: f'a{n}@x.com,Ann,"two\nlines"',
            }.get(kind, f"a{n}@x.com,Ann {n},")
        )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("after", [0, 1, 2, 4, 5, 6])
def test_an_import_that_is_killed_goes_on_where_it_was(desk, site, new_leads, after):
    """Whoever runs it next imports no row twice and leaves none out."""
    new_leads(1, email="a0@x.com", name="Old")
    job_id = desk.start(desk.bring(many(2300))["id"])
    runner = new_runner(site)
    (held,) = claim_all(runner)
    for _ in range(after):
        runner.step(held)
    desk.db.jobs.update_one({"_id": job_id}, {"$set": {"lease.until": datetime(2020, 1, 1)}})
    (other,) = claim_all(runner)
    runner.step(other)
    # The first one was not dead, but slow.
    assert runner.step(held) is None
    while runner.step(other) is not None:
        pass
    refresh(site, job_id)
    assert desk.counts(job_id) == {
        "total": 2300,
        "imported": 2300 - 3 * 46 - 1,
        "updated": 1,
        "failed": 3 * 46,
    }
    assert desk.db.leads.count_documents({"importId": job_id}) == 2300 - 3 * 46 - 1
    assert desk.db.job_errors.count_documents({"jobId": job_id}) == 3 * 46
    assert desk.db.events.count_documents({"jobId": job_id}) == 1


def test_an_import_that_is_cancelled_keeps_what_it_has_done(desk, site):
    job_id = desk.start(desk.bring(many(2300))["id"])
    runner = new_runner(site)
    (held,) = claim_all(runner)
    while not desk.db.leads.count_documents({}):
        runner.step(held)
    assert desk.api.post(f"/crm/jobs/{job_id}/cancel").status_code == 200
    desk.run()
    (shown,) = desk.api.get("/crm/leads/import").json["data"]["items"]
    assert (shown["state"], shown["counts"]["imported"]) == ("cancelled", 940)
    assert desk.db.leads.count_documents({}) == 940
    assert desk.db.import_blocks.count_documents({}) == 0
    assert shown["mayUndo"]


def test_the_id_of_a_lead_that_has_moved_to_another_address_is_not_taken_again(desk):
    desk.do("Email,Name\nann@x.com,Ann\n")
    desk.db.leads.update_one({"email": "ann@x.com"}, {"$set": {"email": "ann@y.com"}})
    job_id = desk.do("Email,Name\nann@x.com,Another\nbo@x.com,Bo\n")
    assert desk.counts(job_id) == {"total": 2, "imported": 2}
    assert desk.emails() == ["ann@x.com", "ann@y.com", "bo@x.com"]


class Stream:
    """A file of 100 MB that is nowhere: so many rows with long notes, of which nothing is to be stored."""

    ROWS = 9000
    notes = b"x" * 11_000  # too long

    def __init__(self):
        self._row = -1

    def read(self, size):
        self._row += 1
        if self._row == 0:
            return b"Email,Notes\n"
        return b"" if self._row > self.ROWS else b"a%d@x.com,%s\n" % (self._row, self.notes)


def test_a_file_of_100_mb_is_not_held_in_memory(desk, site, admin):
    with open("/proc/self/clear_refs", "w") as memory:
        memory.write("5")  # lets the peak begin anew
    before = peak()
    brought = imports.bring(desk.db, admin, "large.csv", Stream())
    assert brought["size"] > 95_000_000
    seen = desk.preview(brought["_id"])
    assert (seen["rows"], seen["bad"], seen["complete"]) == (Stream.ROWS, Stream.ROWS, True)
    assert peak() - before < 30_000  # KiB


def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def test_the_position_in_a_file_is_kept_by_the_database(desk, admin):
    """What a worker on another machine reads is what was brought, from any row on."""
    brought = imports.bring(desk.db, admin, "a.csv", io.BytesIO(many(600).encode("utf-16")))
    found = files.table(desk.db, brought["fileId"])
    rows = iter(found)
    for _ in range(333):
        next(rows)
    place = found.place
    rest = files.rest(desk.db, brought["fileId"], ",", found.headings, csvfile.Place(*place))
    assert list(rest) == list(rows)
