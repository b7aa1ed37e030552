"""Who did what, when, from where, to what."""

from __future__ import annotations

import csv
import io

import pytest

from crmapp.accounts.users import Role
from crmapp.audit.phrases import PHRASES
from crmapp.clock import now
from tests.conftest import PASSWORD

READS = {"GET", "HEAD", "OPTIONS"}


@pytest.fixture
def entries(api):
    """The log as a program reads it, newest first."""

    def read(query=""):
        answer = api.get(f"/crm/audit{query}")
        assert answer.status_code == 200, answer.text
        return answer.json["data"]["items"]

    return read


def test_every_route_that_changes_something_has_its_words(new_site, db):
    site = new_site(MAIL_SERVER="")
    changing = {rule.endpoint for rule in site.url_map.iter_rules() if rule.methods - READS}
    assert changing - set(PHRASES) == set()
    there = {rule.endpoint for rule in site.url_map.iter_rules()}
    assert {name for name in PHRASES if not name.startswith("flask ")} - there == set()


def test_a_change_is_told_with_who_and_where_and_to_what(api, admin, new_leads, entries):
    (lead_id,) = new_leads(1, name="Ivy")
    api.patch(f"/crm/leads/{lead_id}", {"phone": "0123", "company": "Acme"})
    (entry,) = entries()
    assert entry["text"] == "Changed a lead"
    assert (entry["target"], entry["targetId"]) == ("Ivy", str(lead_id))
    assert entry["by"] == {"id": admin.id, "name": admin.email, "role": "admin"}
    assert entry["address"] == "127.0.0.1"
    assert entry["details"] == {"fields": ["phone", "company"]}


def test_an_entry_names_the_request_that_the_answer_names(api, new_leads, entries):
    (lead_id,) = new_leads(1)
    answer = api.patch(f"/crm/leads/{lead_id}", {"phone": "0123"})
    (entry,) = entries()
    assert entry["requestId"] == answer.headers["X-Request-ID"]


def test_dropping_failed_mail_tells_how_many(api, entries):
    api.post("/crm/email-queue/failed/drop", {"filter": {}})
    (entry,) = entries()
    assert (entry["text"], entry["details"]) == ("Dropped failed mail", {"mails": 0})


def test_what_was_refused_or_only_asked_is_not_told(api, new_leads, entries):
    (lead_id,) = new_leads(1)
    assert api.patch(f"/crm/leads/{lead_id}", {"email": "nonsense"}).status_code == 422
    api.get(f"/crm/leads/{lead_id}")
    api.post("/crm/leads/activate/preview", {"filter": {}})
    assert entries() == []


def test_signing_in_and_out_and_being_refused(visitor, admin, entries):
    visitor.sign_in(admin.email, "not the password")
    visitor.sign_in("stranger@example.com", "not the password")
    visitor.sign_in(admin.email, PASSWORD)
    visitor.submit("/logout", page="/crm/leads")
    out, signed_in, refused = entries()
    assert (out["text"], out["by"]["name"]) == ("Signed out", admin.email)
    assert (signed_in["text"], signed_in["by"]["name"]) == ("Signed in", admin.email)
    assert (refused["text"], refused["by"], refused["target"]) == (
        "Was refused a sign-in",
        None,
        admin.email,
    )


def test_no_password_and_no_link_is_in_the_log(visitor, site, db, admin):
    visitor.sign_in(admin.email, PASSWORD)
    visitor.sign_in(admin.email, "another secret")
    login = {"email": admin.email, "password": PASSWORD}
    token = site.test_client().post("/api/login", json=login).json["data"]["token"]
    kept = str(list(db.audit.find()))
    for secret in (PASSWORD, "another secret", token):
        assert secret not in kept


def test_what_was_taken_out_is_told(api, new_leads, entries):
    new_leads(2)
    api.get("/crm/leads/export.csv?source=website").get_data()
    (entry,) = entries()
    assert (entry["text"], entry["more"]) == ("Exported leads", "source: website")


def test_a_bulk_action_tells_what_and_how_many(api, new_leads, entries):
    new_leads(3)
    api.post("/crm/leads/bulk/tag", {"filter": {}, "add": ["VIP"], "remove": []})
    (entry,) = entries()
    assert entry["details"]["name"] == "tag"
    assert (entry["details"]["leads"], entry["details"]["add"]) == (3, ["VIP"])


@pytest.fixture
def some(db, admin, new_person):
    bob = new_person("bob@example.com")
    for number, (person, what) in enumerate(
        [(admin, "lead_card.add"), (bob, "lead_card.change"), (admin, "email_queue.pause")]
    ):
        db.audit.insert_one(
            {
                "at": now(),
                "by": {"id": person.key, "name": person.email, "role": person.role},
                "what": what,
                "text": PHRASES[what],
                "target": f"=Lead {number} (x)",
                "targetId": f"id{number}",
                "details": {},
                "address": f"192.0.2.{number}",
                "requestId": f"request-{number}",
            }
        )
    return bob


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?person={bob}", [1]),
        ("?what=lead_card.add", [0]),
        ("?address=192.0.2.2", [2]),
        ("?q=lead 1 (X", [1]),
        ("?q=id2", [2]),
        ("?q=request-0", [0]),
        ("?q=.*", []),
        ("?to=2020-01-01", []),
        ("?from=2020-01-01", [2, 1, 0]),
    ],
)
def test_the_log_is_narrowed_down(api, ann, some, entries, query, found):
    query = query.format(bob=some.id)
    # The fixture's own sign-in is the newest entry where nothing narrows the log down.
    told = [entry["targetId"] for entry in entries(query) if entry["what"] in PHRASES]
    assert [each for each in told if each] == [f"id{number}" for number in found]
    page = ann.get(f"/crm/audit{query}").get_data(as_text=True)
    for number in range(3):
        assert (f"=Lead {number} (x)" in page) == (number in found)


@pytest.mark.parametrize(
    "query", ["?person=x", "?what=nonsense", "?from=yesterday", "?page=0", "?stranger=1"]
)
def test_nonsense_is_refused(api, query):
    assert api.get(f"/crm/audit{query}").status_code == 400


def test_the_export_holds_every_entry_and_no_formula(api, some):
    text = api.get("/crm/audit/export.csv").get_data(as_text=True)
    own, *rows = csv.DictReader(io.StringIO(text))
    assert own["What"] == "Exported the audit log"
    assert [row["To what"] for row in rows] == [f"'=Lead {number} (x)" for number in (2, 1, 0)]
    assert rows[0]["Who"] == "ann@example.com"


@pytest.mark.parametrize("role", [Role.AGENT, Role.USER])
def test_only_administrators_read_it(new_api, new_person, role):
    outsider = new_api(new_person("eve@example.com", role))
    assert outsider.get("/crm/audit").status_code == 403
    assert outsider.get("/crm/audit/export.csv").status_code == 403


def test_nobody_changes_or_removes_an_entry(site):
    about = [rule for rule in site.url_map.iter_rules() if rule.rule.startswith("/crm/audit")]
    assert all(rule.methods <= READS for rule in about)
