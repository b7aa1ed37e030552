"""One search over everything: what is found, what comes first, and what is said where nothing is."""

import re
from datetime import timedelta

import pytest

from crmapp.accounts.users import Role
from crmapp.clock import now
from crmapp.search import everything


def found(api, q):
    """What a program is told: {section: [title of each hit]}."""
    answer = api.get("/crm/search?q=" + q)
    assert answer.status_code == 200, answer.text
    sections = answer.json["data"]["sections"]
    return {each["name"]: [hit["title"] for hit in each["hits"]] for each in sections}


@pytest.fixture
def full(db, new_leads, new_person, admin):
    """One of everything that has to do with Olivia."""
    (lead,) = new_leads(1, name="Olivia Smith", email="olivia@acme.example", company="Acme")
    new_leads(12, company="Globex")
    new_person("olga@example.com", Role.AGENT)
    entry = {"leadId": lead, "kind": "call", "authorId": admin.key, "authorName": "Ann"}
    db.journal_entries.insert_one({**entry, "text": "Wants an offer for Olivia.", "at": now()})
    db.documents.insert_one(
        {
            "type": "journal_entries",
            "sourceId": str(lead),
            "title": "Call: about Olivia",
            "text": "Olivia wants an offer.",
            "metadata": {},
            "ownerId": admin.key,
            "date": now(),
            "syncedAt": now(),
        }
    )


def test_every_kind_is_found(full, api):
    assert found(api, "olivia") == {
        "leads": ["Olivia Smith"],
        "journal": ["Call with Olivia Smith"],
        "documents": ["Call: about Olivia"],
    }
    assert found(api, "olg") == {"people": ["Olga"]}
    assert found(api, "OLG@") == found(api, "zzz") == {}
    assert found(api, "olga@") == {"people": ["Olga"]}


def test_leads_are_cut_at_ten_and_the_rest_is_a_link_away(full, ann):
    page = ann.get("/crm/search?q=globex").get_data(as_text=True)
    leads = page.partition('id="found-leads"')[2].partition("</section>")[0]
    assert leads.count("<li>") == 10
    assert 'href="/crm/leads?q=globex"' in leads


def test_an_exact_address_comes_first_with_the_lead_and_the_user(full, api, new_person):
    new_person("olivia@acme.example", Role.USER)
    sections = found(api, "Olivia@Acme.example")
    assert next(iter(sections)) == "exact"
    assert sections["exact"] == ["Olivia Smith", "Olivia"]
    assert "exact" not in found(api, "olivia@acme.exampl")


@pytest.fixture
def job(db, new_api, new_person, new_leads):
    """An activation that bob has started; returns its id."""
    new_leads(1)
    return new_api(new_person("bob@example.com")).activate()


def test_a_job_is_found_by_its_id_by_whoever_may_see_it(job, api, new_api, new_person):
    assert found(api, job) == found(api, job[-6:]) == {}
    root = new_api(new_person("root@example.com", Role.SUPERADMIN))
    title = f"Activation {job[-6:]}"
    assert found(root, job) == {"exact": [title], "jobs": [title]}
    assert found(root, job[-6:]) == {"jobs": [title]}
    assert found(root, job[:20]) == {"jobs": [title]}


def test_empty_pages_say_what_to_do(full, ann):
    page = ann.get("/crm/search?q=xyzzy").get_data(as_text=True)
    assert "Nothing matches “xyzzy”" in page
    assert "Try fewer letters." in page
    page = ann.get("/crm/search").get_data(as_text=True)
    assert "What are you looking for?" in page


def test_what_took_too_long_says_so_and_the_rest_is_shown(full, ann, monkeypatch):
    def slow(db, user, q):
        list(db.leads.find({"$where": "sleep(100) || true"}))

    searches = [
        (name, title, slow if name == "journal" else search, url)
        for name, title, search, url in everything.SEARCHES
    ]
    monkeypatch.setattr(everything, "SEARCHES", searches)
    monkeypatch.setattr(everything, "SECONDS", 0.3)
    page = ann.get("/crm/search?q=olivia").get_data(as_text=True)
    journal = page.partition('id="found-journal"')[2].partition("</section>")[0]
    assert "Looking here took too long." in journal
    assert "Olivia Smith" in page


@pytest.mark.parametrize("q", ['"', "(", "a" * 200, "*", "-x", "%5C", "..", "a@b", "ß", "50 %25"])
def test_whatever_is_typed_is_taken_as_text(full, api, q):
    found(api, q)


def test_bad_input_is_refused(api):
    assert api.get("/crm/search?q=" + "a" * 201).status_code == 400
    assert api.get("/crm/search?q=%00").status_code == 400


def test_nothing_found_can_carry_markup(new_leads, ann):
    new_leads(1, name="<script>alert(1)</script> Eve", company="<b>Evil</b>")
    page = ann.get("/crm/search?q=eve").get_data(as_text=True)
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search("<script>alert|<b>Evil", page)


def test_an_excerpt_shows_where_it_was_found():
    text = "one two three " * 40 + "needle " + "four five " * 40
    cut = everything._around(text, "Needle")
    assert "needle" in cut
    assert cut.startswith("… ")
    assert cut.endswith(" …")
    assert len(cut) <= everything.EXCERPT + 2
    assert everything._around("short", "x") == "short"


def test_old_jobs_and_leads_of_other_programs_do_not_stop_it(db, api):
    db.leads.insert_one({"email": None, "name": "Odd One"})
    db.leads.insert_one({"name": "Odd Two", "createdAt": now() - timedelta(days=1)})
    assert sorted(found(api, "odd")["leads"]) == ["Odd One", "Odd Two"]
