"""The list of users."""

from datetime import timedelta

import pytest

from crmapp.accounts import users
from crmapp.accounts.users import Role
from crmapp.clock import now


@pytest.fixture
def listed(sue):
    """Asks for the list; returns the part of each address before the @, or what is asked for."""

    def ask(query="", what=lambda item: item["email"].partition("@")[0]):
        answer = sue.get(f"/crm/users?{query}")
        assert answer.status_code == 200, answer.text
        return [what(item) for item in answer.json["data"]["items"]]

    return ask


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "abe ann gil ivy sam sue ulf"),
        ("role=agent", "gil ivy"),
        ("role=staff", "abe ann gil ivy sam sue"),
        ("role=user", "ulf"),
        ("status=invited", "ivy"),
        ("status=active&role=admin", "abe ann"),
        ("q=IV", "ivy"),
        ("q=l", "abe ann gil ivy sam sue ulf"),  # in "example" too
        ("q=a.n", ""),
        ("q=S&role=superadmin", "sam sue"),
        ("status=disabled", ""),
    ],
)
def test_filters(listed, query, names):
    assert sorted(listed(query)) == names.split()


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("", "abe ann gil ivy sam sue ulf"),
        ("name", "abe ann gil ivy sam sue ulf"),
        ("-name", "ulf sue sam ivy gil ann abe"),
        ("-email", "ulf sue sam ivy gil ann abe"),
        ("-role", "ulf sam sue gil ivy abe ann"),
        ("-status", "ivy abe ann gil sam sue ulf"),
    ],
)
def test_orders(listed, sort, names):
    assert listed(f"sort={sort}") == names.split()


def test_who_was_seen_last_comes_first(listed, db, office):
    for minutes, person in enumerate((office.gil, office.ann), 5):
        seen = {"lastSeenAt": now() - timedelta(minutes=minutes)}
        db.users.update_one({"_id": person.key}, {"$set": seen})
    assert listed("sort=-lastSeenAt")[:3] == ["sue", "gil", "ann"]


def test_pages(sue, db, office):
    made = [users.new_user(f"u{i:03}@x.example", "U", Role.USER) for i in range(60)]
    db.users.insert_many(made)
    first, second = (sue.get(f"/crm/users?sort=email&page={n}").json["data"] for n in (1, 2))
    assert (first["total"], first["pages"], first["capped"]) == (67, 2, False)
    emails = [item["email"] for item in first["items"] + second["items"]]
    assert emails == sorted(user["email"] for user in db.users.find())
    assert len(sue.get("/crm/users?pageSize=25&role=user").json["data"]["items"]) == 25


@pytest.mark.parametrize(
    "query",
    [
        "role=boss",
        "status=new",
        "online=maybe",
        "sort=shoe",
        "page=0",
        "nonsense=1",
        "pageSize=201",
    ],
)
def test_what_cannot_be_asked_for(sue, query):
    answer = sue.get(f"/crm/users?{query}")
    assert answer.status_code == 400
    assert "must be" in answer.json["msg"] or "There is no filter" in answer.json["msg"]


def test_whom_one_may_change(sue, ann_api):
    def may(api):
        items = api.get("/crm/users").json["data"]["items"]
        assert [item["you"] for item in items].count(True) == 1
        return {item["email"].partition("@")[0] for item in items if item["mayChange"]}

    assert may(sue) == {"sam", "ann", "abe", "gil", "ivy", "ulf"}
    assert may(ann_api) == {"gil", "ivy", "ulf"}


def test_no_secret_is_told(sue):
    text = sue.get("/crm/users").text
    assert "passwordHash" not in text
    assert "argon2" not in text
    assert "inviteNonce" not in text


def test_a_user_of_an_old_version_is_listed(sue, db):
    db.users.insert_one(
        {"email": "old@x.example", "name": None, "role": "user", "status": "active"}
    )
    assert sue.get("/crm/users?q=old@").json["data"]["total"] == 1


def test_the_page(new_visitor, db, office):
    visitor = new_visitor()
    visitor.sign_in("sue@example.com", "correct-horse")
    page = visitor.get("/crm/users?sort=-name&role=agent").text
    assert "Gil" in page
    assert "Ulf" not in page
    assert 'class="you"' not in page
    assert visitor.get("/crm/users").text.count('name="user"') == 6  # all but Sue herself
    assert "Nobody matches" in visitor.get("/crm/users?q=zzz").text
    assert "There is no page 9" in visitor.get("/crm/users?page=9").text
    own = visitor.get(f"/crm/users/{office.sue.id}").text
    assert "your own account" in own
    assert "data-do" not in own
    assert 'data-do="disable"' in visitor.get(f"/crm/users/{office.gil.id}").text
    assert 'data-do="invite"' in visitor.get(f"/crm/users/{office.ivy.id}").text


def test_the_page_of_an_admin_offers_no_more_than_they_may(new_visitor, office):
    visitor = new_visitor()
    visitor.sign_in("ann@example.com", "correct-horse")
    page = visitor.get("/crm/users").text
    assert 'value="agent"' in page.partition('id="add-role"')[2]
    assert 'value="superadmin"' not in page.partition('id="add-role"')[2]
    assert "data-do" not in visitor.get(f"/crm/users/{office.sue.id}").text
