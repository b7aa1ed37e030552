import io
import random
import threading
from datetime import UTC, datetime

import pytest
from bson import ObjectId

from crmapp.leads.csvfile import NotACsv
from crmapp.leads.importing import import_leads, lead_id

SALESFORCE = (
    "\ufeffFirst Name,Last Name,Title,Company / Account,Email,Phone,Lead Source,Lead Status,"
    "Lead Owner Alias\r\n"
    '"Ann","Lee","CEO","Lee, Sons & Co","Ann.Lee@Example.com","(415) 555-0100","Web","Qualified",'
    '"jdoe"\r\n'
    '"Bo","Ek","","Ek AB","bo@ek.example","","Trade Show","Open - Not Contacted","jdoe"\r\n'
).encode()
HUBSPOT = (
    b"Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Associated Company,"
    b"Last Activity Date,Lead Status,Original Source\n"
    b'51,Ann,Lee,ann.lee@example.com,(415) 555-0100,John Doe,"Lee, Sons & Co",,QUALIFIED,Web\n'
    b"52,Bo,Ek,bo@ek.example,,John Doe,Ek AB,2024-01-02 10:11,,Trade Show\n"
)
ZOHO = (
    b"Record Id,Lead Owner,Company,First Name,Last Name,Full Name,Email,Secondary Email,Phone,"
    b"Mobile,Lead Source,Lead Status,Email Opt Out\n"
    b'zcrm_1,John Doe,"Lee, Sons & Co",Ann,Lee,Ann Lee,ann.lee@example.com,,,(415) 555-0100,Web,'
    b"qualified,false\n"
    b"zcrm_2,John Doe,Ek AB,Bo,Ek,Bo Ek,,bo@ek.example,,,Trade Show,Lost Lead,false\n"
)
PIPEDRIVE = (
    b"Lead - Title;Person - Name;Person - Email - Work;Person - Email - Home;Person - Phone - Work;"
    b"Organization - Name;Lead - Source;Lead - Status\n"
    b"Lee deal;Ann Lee;ann.lee@example.com;;(415) 555-0100;Lee, Sons & Co;Web;qualified\n"
    b"Ek deal;Bo Ek;;bo@ek.example;;Ek AB;Trade Show;\n"
)
GOOGLE_CONTACTS = (
    b"First Name,Middle Name,Last Name,Nickname,Organization Name,Organization Title,Notes,Labels,"
    b"E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,"
    b"Phone 1 - Value,Source,Status\n"
    b'Ann,,Lee,,"Lee, Sons & Co",CEO,,* myContacts,Work,ann.lee@example.com,,,Work,(415) 555-0100,'
    b"Web,qualified\n"
    b"Bo,,Ek,,Ek AB,,,* myContacts,,,Home,bo@ek.example,,,Trade Show,\n"
)
OUTLOOK = (
    '"Title","First Name","Middle Name","Last Name","Company","Job Title","Business Fax",'
    '"Business Phone","Mobile Phone","E-mail Address","E-mail Type","E-mail Display Name",'
    '"E-mail 2 Address","Source","Status"\r\n'
    '"","Ann","","Lee","Lee, Sons & Co","CEO","(415) 555-0199","","(415) 555-0100",'
    '"ann.lee@example.com","SMTP","Ann Lee (ann.lee@example.com)","","Web","Qualified"\r\n'
    '"","Bo","","Ek","Ek AB","","","","","","","","bo@ek.example","Trade Show",""\r\n'
).encode("cp1252")
GERMAN_EXCEL = (
    "Name;Vorname;Firma;E-Mail-Adresse;Telefon;Quelle;Status\r\n"
    "Lee;Ann;Lee, Sons & Co;mailto:Ann.Lee@example.com;(415) 555-0100;Web;QUALIFIED\r\n"
    "Ek;Bo;Ek AB;Bo Ek <bo@ek.example>;;Trade Show;\r\n"
).encode("cp1252")
EXCEL_UNICODE_TEXT = (
    "Full name\tE-mail\tCompany\tTelephone\tLead source\tStatus\r\n"
    'Ann Lee\tann.lee@example.com\t"Lee, Sons & Co"\t(415) 555-0100\tWeb\tqualified\r\n'
    "Bo Ek\tbo@ek.example\tEk AB\t\tTrade Show\t\r\n"
).encode("utf-16")

BY = {"id": None, "name": "ann@example.com"}


def import_text(db, text):
    content = text if isinstance(text, bytes) else text.encode()
    return import_leads(db, BY, io.BytesIO(content)).to_dict()


def stored(db):
    """What a file can give."""
    shown = dict.fromkeys(("name", "email", "phone", "company", "source", "status", "notes"), 1)
    return list(db.leads.find({}, {"_id": 0, **shown}).sort("email"))


@pytest.mark.parametrize(
    "export",
    [
        pytest.param(SALESFORCE, id="salesforce"),
        pytest.param(HUBSPOT, id="hubspot"),
        pytest.param(ZOHO, id="zoho"),
        pytest.param(PIPEDRIVE, id="pipedrive"),
        pytest.param(GOOGLE_CONTACTS, id="google contacts"),
        pytest.param(OUTLOOK, id="outlook"),
        pytest.param(GERMAN_EXCEL, id="german excel"),
        pytest.param(EXCEL_UNICODE_TEXT, id="excel unicode text"),
    ],
)
def test_the_files_that_programs_export(db, export):
    result = import_text(db, export)
    assert result == {"imported": 2, "updated": 0, "skipped": 0, "errors": []}
    assert stored(db) == [
        {
            "name": "Ann Lee",
            "email": "ann.lee@example.com",
            "phone": "(415) 555-0100",
            "company": "Lee, Sons & Co",
            "source": "Web",
            "status": "qualified",
            "notes": "",
        },
        {
            "name": "Bo Ek",
            "email": "bo@ek.example",
            "phone": "",
            "company": "Ek AB",
            "source": "Trade Show",
            "status": "new",
            "notes": "",
        },
    ]


def test_bad_rows_are_reported_and_the_others_imported(db):
    result = import_text(
        db,
        "Name,Email,Notes\n"
        "Ann,ann@x.com,\n"
        "No Mail,,\n"
        "Not Mail,ann at x.com,\n"
        '"Broken,bo@x.com,\n'
        "Again,ANN@X.com,\n"
        "\n"
        'Cy,cy@x.com,"two\nlines"\n'
        f"{'D' * 201},d@x.com,\n"
        f"Ed,ed@x.com,{'n' * 10_001}\n"
        f"Fay,{'f' * 200}@x.com,\n"
        "Again,<ann@x.com>,\n"
        f"{'G' * 200},g@x.com,{'n' * 10_000}\n",
    )
    assert result == {
        "imported": 3,
        "updated": 0,
        "skipped": 8,
        "errors": [
            {"row": 3, "reason": "no e-mail"},
            {"row": 4, "reason": "not an address: ann at x.com"},
            {"row": 5, "reason": "broken quoting"},
            {"row": 6, "reason": "duplicate in the file of row 2"},
            {"row": 10, "reason": "name is longer than 200 characters"},
            {"row": 11, "reason": "notes is longer than 10000 characters"},
            {"row": 12, "reason": f"not an address: {'f' * 100}…"},
            {"row": 13, "reason": "duplicate in the file of row 2"},
        ],
    }
    assert [lead["email"] for lead in stored(db)] == ["ann@x.com", "cy@x.com", "g@x.com"]
    assert stored(db)[0]["name"] == "Ann"


def test_a_bad_row_does_not_make_a_later_good_one_a_duplicate(db):
    result = import_text(db, f"Name,Email\n{'A' * 201},ann@x.com\nAnn,ann@x.com\n")
    assert (result["imported"], result["skipped"]) == (1, 1)
    assert stored(db)[0]["name"] == "Ann"


def test_cells_are_stored_as_they_are_but_names_on_one_line(db):
    import_text(
        db, 'Name,Email,Company,Notes\n"Ann\nBcc: bo@x.com",ann@x.com,=cmd(),"+one\r\n two"\n'
    )
    (lead,) = stored(db)
    assert lead["name"] == "Ann Bcc: bo@x.com"
    assert lead["company"] == "=cmd()"
    assert lead["notes"] == "+one\n two"


def test_an_address_that_is_there_updates_its_lead(db):
    then = datetime(2024, 1, 2, tzinfo=UTC)
    lead = {
        "_id": ObjectId(),
        "name": "Ann",
        "email": "ann@x.com",
        "phone": "1",
        "company": "Old Ltd",
        "source": "Web",
        "status": "active",
        "notes": "kept",
        "agentId": ObjectId(),
        "createdAt": then,
        "updatedAt": then,
    }
    db.leads.insert_one(lead)
    result = import_text(
        db, "Name,Email,Company,Phone,Status,Notes\nAnn Lee,Ann@X.com,New Ltd,,contacted,\n"
    )
    assert result == {"imported": 0, "updated": 1, "skipped": 0, "errors": []}
    found = db.leads.find_one()
    assert found.pop("updatedAt") > lead.pop("updatedAt")
    assert "lee" in found.pop("words")
    assert found == {**lead, "name": "Ann Lee", "company": "New Ltd"}
    (event,) = db.events.find({"leadId": lead["_id"]})
    assert (event["type"], event["how"], event["by"]) == ("lead_changed", "import", BY)
    assert event["changes"] == {"name": ["Ann", "Ann Lee"], "company": ["Old Ltd", "New Ltd"]}


def test_the_same_file_twice_changes_nothing(db):
    assert import_text(db, SALESFORCE)["imported"] == 2
    before = list(db.leads.find())
    assert import_text(db, SALESFORCE) == {
        "imported": 0,
        "updated": 2,
        "skipped": 0,
        "errors": [],
    }
    assert list(db.leads.find()) == before
    assert db.events.count_documents({}) == 0


def test_an_address_whose_lead_has_moved_to_another_makes_a_new_lead(db):
    import_text(db, "Email,Name\nann@x.com,Ann\n")
    db.leads.update_one({"email": "ann@x.com"}, {"$set": {"email": "ann@y.com"}})
    result = import_text(db, "Email,Name\nann@x.com,Another Ann\nbo@x.com,Bo\n")
    assert (result["imported"], result["updated"]) == (2, 0)
    assert [(lead["email"], lead["name"]) for lead in stored(db)] == [
        ("ann@x.com", "Another Ann"),
        ("ann@y.com", "Ann"),
        ("bo@x.com", "Bo"),
    ]


def test_imports_at_the_same_time_create_each_lead_once(db):
    db.leads.create_index("email")
    emails = [f"n{n}@x.com" for n in range(3000)]
    results = []

    def run(seed):
        shuffled = random.Random(seed).sample(emails, len(emails))
        results.append(import_text(db, "Email\n" + "\n".join(shuffled)))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r["imported"] + r["updated"] + r["skipped"] for r in results] == [3000] * 4
    assert sum(r["imported"] for r in results) == 3000
    assert db.leads.count_documents({}) == 3000
    assert sorted(db.leads.distinct("email")) == sorted(emails)


def test_a_file_that_is_no_csv_writes_nothing(db):
    for content in (b"", b"PK\x03\x04", b"Ann,ann@x.com\nBo,bo@x.com\n", b"Name,Phone\nAnn,1\n"):
        with pytest.raises(NotACsv):
            import_leads(db, BY, io.BytesIO(content))
    assert db.leads.count_documents({}) == 0


def test_the_id_of_an_imported_lead_follows_from_its_address(db):
    import_text(db, "Email\nAnn@X.com\n")
    assert db.leads.find_one()["_id"] == lead_id("ann@x.com")
