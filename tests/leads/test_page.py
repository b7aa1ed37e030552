"""The page of the leads, as its HTML."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from bson import ObjectId

from crmapp.accounts import rights
from crmapp.leads import listing

LEADS = "/crm/leads"


@pytest.fixture
def page(ann):
    def ask(**query):
        answer = ann.get(f"{LEADS}?{urlencode(query)}")
        assert answer.status_code == 200, answer.text
        return answer.text

    return ask


def links(html, text):
    """The addresses of the links that say `text`."""
    found = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>\s*([^<]*?)\s*<', html)
    return [href.replace("&amp;", "&") for href, words in found if words == text]


def test_a_row_tells_of_its_lead(page, db, admin, new_leads):
    (lead_id,) = new_leads(
        1, name="Ann Lee", phone="+49 30 1", tags=["VIP", "a&b"], agentId=admin.key, status="active"
    )
    html = page()
    assert links(html, "Ann Lee") == [f"{LEADS}/{lead_id}"]
    assert links(html, "Some Company") == [f"{LEADS}?company=Some+Company"]
    assert links(html, "a&amp;b") == [f"{LEADS}?tag=a%26b"]
    assert '<td class="phone">+49 30 1</td>' in html
    assert f'<td class="agent">{admin.name}</td>' in html
    assert 'data-status="active">Active</span>' in html
    assert "1–1" in html


def test_a_lead_of_another_program_is_shown_too(page, db):
    db.leads.insert_one({})
    odd = dict.fromkeys(("name", "email", "company", "tags", "status", "createdAt", "agentId"), 7)
    db.leads.insert_one(odd)
    html = page()
    assert "No name" in html
    assert html.count('class="form-check-input select-row"') == 2


def test_columns_are_sorted_by_their_headings_and_keep_the_filter(page, new_leads):
    new_leads(1, source="fair")
    html = page(source="fair", pageSize=25)
    assert 'class="added" scope="col" aria-sort="descending"' in html
    assert links(html, "Company") == [f"{LEADS}?source=fair&pageSize=25&sort=company"]
    html = page(sort="company")
    assert 'class="company" scope="col" aria-sort="ascending"' in html
    assert links(html, "Company") == [f"{LEADS}?sort=-company"]
    assert 'name="sort" value="company"' in html


def test_what_it_is_narrowed_to_stands_in_chips(page, admin, new_leads):
    new_leads(1, agentId=admin.key, tags=["VIP"])
    html = page(agent=admin.id, tag="VIP", account="no", sort="name")
    chips = " ".join(html.partition('<ul class="chips"')[2].partition("</ul>")[0].split())
    assert f"Agent: <strong>{admin.name}</strong>" in chips
    assert "Has an account: <strong>No</strong>" in chips
    assert f'href="/crm/leads?agent={admin.id}&amp;account=no&amp;sort=name"' in chips
    # The filters that are not in the first row are open then.
    assert re.search(r'<details class="more-filters"\s+open>', html)
    assert not re.search(r'<details class="more-filters"\s+open>', page(agent="none"))


def test_nothing_in_a_lead_is_markup(page, new_leads):
    script = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    fields = dict.fromkeys(("name", "email", "phone", "company", "source", "notes"), script)
    new_leads(1, **fields, tags=[script], status=script)
    html = page() + page(source=script) + page(tag=script)
    assert "<script>alert" not in html
    assert "<img src=x" not in html


def test_pages_have_numbers_or_places(page, new_leads, monkeypatch):
    new_leads(130)
    html = page(pageSize=25)
    assert "1–25" in html
    assert links(html, "6") == [f"{LEADS}?pageSize=25&page=6"]
    monkeypatch.setattr(listing, "COUNTED_UP_TO", 100)
    html = page(pageSize=25)
    assert "1–25 of more than 100" in " ".join(html.split())
    (after,) = links(html, "Next ›")
    assert links(html, "Last") == [f"{LEADS}?last=1&pageSize=25"]
    assert "‹ Previous" not in html
    html = page(pageSize=25, after=re.search(r"after=([^&]+)", after)[1])
    assert links(html, "First") == [f"{LEADS}?pageSize=25"]
    assert links(html, "‹ Previous")


@pytest.mark.parametrize(
    ("leads", "query", "words"),
    [
        (0, {}, "No leads yet"),
        (1, {"q": "zzz"}, "No lead matches"),
        (1, {"page": 3}, "There is no page 3"),
    ],
)
def test_an_empty_list_says_what_to_do(page, new_leads, leads, query, words):
    new_leads(leads) if leads else None
    assert words in page(**query)


def test_it_offers_what_the_role_may_do(page, monkeypatch):
    html = page()
    for action in ("assign", "status", "tag", "export", "delete"):
        assert f'data-bulk="{action}"' in html
    assert 'id="activate"' in html
    monkeypatch.setattr(rights, "actions_for", lambda user: ("tag",))
    html = page()
    assert 'data-bulk="tag"' in html
    assert 'data-bulk="delete"' not in html
    assert 'id="activate"' not in html


def test_the_export_is_of_what_is_shown(page, new_leads):
    new_leads(1, source="fair")
    html = page(source="fair", sort="name")
    assert "/crm/leads/export.csv?source=fair&amp;sort=name" in html


def test_an_agent_who_is_gone_is_no_trouble(page, new_leads):
    new_leads(1, agentId=ObjectId())
    assert '<td class="agent"></td>' in page()
