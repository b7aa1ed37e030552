"""Leads as a file: what is written, and that it is read again as it was."""

import csv
import io
from datetime import UTC, datetime

import pytest
from bson import ObjectId

from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.leads.importing import import_leads

FORMULAS = [
    "=cmd()",
    "+49 30 1",
    "-1",
    "@sum",
    "'=1",
    "''+2",
    "＝1",
    "'plain",
    "a=b",
    "\t=1",
    "'\n-x",
]
AWKWARD = [
    'say "hi" , ok',
    "a;b,c|d\te",
    "two\n\nlines, and\n=more",
    "Łódź 東京 😀",
    "non\u00a0breaking\u200b and \ufeff mark",
    '"',
    "''",
    "line\u2028separator\x0b\x1f",
]


@pytest.fixture
def agent(new_person):
    return new_person("bo@example.com", Role.AGENT)


def export(api, query=""):
    answer = api.get(f"/crm/leads/export.csv{query}")
    assert answer.status_code == 200, answer.text
    return answer


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_what_is_exported(api, new_leads, agent):
    made = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    new_leads(
        1,
        email="ann@x.com",
        name="Ann",
        phone="+1",
        tags=["vip", "fair 2025"],
        agentId=agent.key,
        status="active",
        createdAt=made,
        activatedAt=made,
    )
    answer = export(api)
    assert answer.mimetype == "text/csv"
    day = now().strftime("%Y-%m-%d")
    assert f"leads-{day}.csv" in answer.headers["Content-Disposition"]
    assert answer.data.startswith(b"\xef\xbb\xbfName,Email,")
    assert rows(answer) == [
        {
            "Name": "Ann",
            "Email": "ann@x.com",
            "Phone": "'+1",
            "Company": "Some Company",
            "Source": "website",
            "Status": "active",
            "Tags": "vip; fair 2025",
            "Agent": "bo@example.com",
            "Notes": "",
            "Created": "2026-01-02T03:04:05.678Z",
            "Activated": "2026-01-02T03:04:05.678Z",
        }
    ]


def test_the_filter_the_order_and_a_selection(api, new_leads):
    new_leads(3, company="A")
    ids = new_leads(2, company="B")
    assert [row["Name"] for row in rows(export(api, "?company=B&sort=-name"))] == [
        "Lead 4",
        "Lead 3",
    ]
    assert len(rows(export(api))) == 5
    frozen = api.post("/crm/leads/selections", {"leadIds": [str(ids[0])]}).json["data"]
    assert [row["Name"] for row in rows(export(api, f"?selectionId={frozen['selectionId']}"))] == [
        "Lead 3"
    ]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?colour=red", 400),
        ("?sort=colour", 400),
        ("?selectionId=x", 410),
        ("?selectionId=x&q=a", 400),
    ],
)
def test_what_cannot_be_exported(api, query, status):
    answer = api.get(f"/crm/leads/export.csv{query}")
    assert (answer.status_code, answer.json["success"]) == (status, False)


def test_an_export_is_imported_again_without_loss(db, api, agent):
    """All that a file may give to a new lead, of texts that are hard to write."""
    texts = [*FORMULAS, *AWKWARD]
    db.leads.insert_many(
        {
            "name": " ".join(text.split()),
            "email": f"{'+=' if n % 2 else ''}a{n}@x.com",
            "phone": "+1" if n % 3 else "",
            "company": " ".join(text.split()),
            "source": "'@home",
            "notes": text.strip() if not text.startswith(("\t", "'\n")) else f"x{text}",
            "status": ["new", "contacted", "qualified"][n % 3],
            "tags": [["vip", "=tag"], [], ["'-x"]][n % 3],
            "agentId": agent.key if n % 2 else None,
            "createdAt": datetime(2026, 1, 2, 3, n, 5, 678_000, tzinfo=UTC),
            "updatedAt": now(),
        }
        for n, text in enumerate(texts)
    )
    before = list(db.leads.find({}, {"_id": 0}).sort("createdAt", 1))
    first = export(api, "?sort=createdAt").data
    db.leads.delete_many({})
    result = import_leads(db, agent.who, io.BytesIO(first))
    assert (result.imported, result.errors) == (len(texts), [])
    assert export(api, "?sort=createdAt").data == first
    for lead, there in zip(db.leads.find().sort("createdAt", 1), before, strict=True):
        for name in (
            "name",
            "email",
            "phone",
            "company",
            "source",
            "notes",
            "status",
            "tags",
            "createdAt",
        ):
            assert lead[name] == there[name]
        assert lead.get("agentId") == there["agentId"]


def test_nothing_that_is_exported_is_a_formula(api, new_leads):
    for text in FORMULAS:
        new_leads(1, name=text, notes=text, company=text, source=text)
    for row in rows(export(api)):
        for name in ("Name", "Notes", "Company", "Source"):
            assert not row[name].startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))


def test_leads_of_other_programs_are_exported_too(db, api):
    db.leads.insert_many(
        [
            {"email": "ann@x.com"},
            {"email": None, "name": None, "tags": None, "agentId": ObjectId(), "phone": 123},
            {"name": "Cy", "tags": "vip", "createdAt": "yesterday", "notes": "one\r\ntwo"},
        ]
    )
    found = {row["Name"] or row["Email"]: row for row in rows(export(api))}
    assert len(found) == 3
    assert found["Cy"]["Notes"] == "one\ntwo"
    assert found[""]["Phone"] == "123"


def test_who_may_export(new_api, new_person):
    user = new_person("user@example.com", Role.USER)
    assert new_api(user).get("/crm/leads/export.csv").status_code == 403


def test_a_long_export_is_streamed(api, new_leads):
    new_leads(2500, notes="x" * 500)
    pieces = 0
    answer = api.client.get("/crm/leads/export.csv", headers=api.headers, buffered=False)
    for _ in answer.response:
        pieces += 1
    assert pieces > 50
