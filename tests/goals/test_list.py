"""The list of goals: how each stands, and how the list is narrowed."""

import pytest
from bson import ObjectId

GOALS = "/crm/goals"


@pytest.fixture
def listed(api):
    """The titles that a query lists, in order."""

    def ask(query=""):
        answer = api.get(f"{GOALS}?{query}")
        assert answer.status_code == 200, answer.text
        return [goal["title"] for goal in answer.json["data"]["items"]]

    return ask


def test_the_newest_come_first_and_fifty_a_page(api, listed, new_goal):
    for number in range(52):
        new_goal(f"goal {number}")
    assert listed() == [f"goal {number}" for number in range(51, 1, -1)]
    assert listed("page=2") == ["goal 1", "goal 0"]
    data = api.get(GOALS).json["data"]
    assert (data["total"], data["page"], data["pages"]) == (52, 1, 2)


def test_a_goal_is_open_reached_or_over(api, listed, new_goal):
    new_goal("its last day is today", days=0)
    new_goal("too late", days=-1)
    new_goal("reached in time", progress=10)
    new_goal("reached, and its time is over", progress=12.5, days=-1)
    assert listed("state=open") == ["its last day is today"]
    assert listed("state=over") == ["too late"]
    assert listed("state=reached") == ["reached, and its time is over", "reached in time"]
    items = api.get(GOALS).json["data"]["items"]
    assert [item["state"] for item in items] == ["reached", "reached", "over", "open"]


@pytest.mark.parametrize(
    ("progress", "percentage"), [(0, 0), (4, 40), (9.99, 99), (10, 100), (20, 100)]
)
def test_percents_say_100_only_when_it_is_reached(api, new_goal, progress, percentage):
    new_goal(progress=progress)
    (item,) = api.get(GOALS).json["data"]["items"]
    assert item["percentage"] == percentage


def test_each_filter_narrows_it(listed, new_goal, admin):
    new_goal("of ann", userId=admin.key)
    new_goal("of bob (50 %)", notes="Bonus agreed")
    assert listed(f"person={admin.id}") == ["of ann"]
    assert listed("q=(50 %25)") == ["of bob (50 %)"]
    assert listed("q=.*") == []
    assert listed("q=bonus") == ["of bob (50 %)"]
    assert listed(f"person={admin.id}&q=bonus") == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("nosuch=1", "There is no filter 'nosuch'"),
        ("state=lost", "state must be one of open, reached, over"),
        ("person=x", "person must be the id of a user"),
        ("q=%00", "q holds a character"),
        ("page=x", "page must be a whole number"),
    ],
)
def test_a_list_that_there_cannot_be(api, query, words):
    answer = api.get(f"{GOALS}?{query}")
    assert answer.status_code == 400
    assert words in answer.json["msg"]


def test_the_page_tells_whose_goal_it_is_and_how_far_it_has_come(ann, new_goal, admin):
    new_goal("<b>Sign</b>", userId=admin.key, target=1500, progress=0.5, unit="EUR")
    page = ann.get(GOALS).text
    assert "&lt;b&gt;Sign&lt;/b&gt;" in page
    assert "0.5 of 1,500 EUR" in page
    assert f"{admin.name}</td>" in page
    assert 'data-state="open">Open</span>' in page


def test_what_other_programs_have_broken_is_still_listed(ann, api, db, new_goal):
    new_goal(userId={"$ne": 1}, target="ten", progress=None)
    new_goal(title=5, to="soon", unit={"a": 1}, target=0)
    new_goal(createdBy=None, updatedAt=None, createdAt="x")
    db.goals.insert_one({"_id": ObjectId()})
    assert ann.get(GOALS).status_code == 200
    for item in api.get(GOALS).json["data"]["items"]:
        assert ann.get(f"{GOALS}/{item['id']}").status_code == 200


def test_no_goals_and_no_match_say_what_to_do(ann, new_goal):
    assert "No goals yet" in ann.get(GOALS).text
    new_goal()
    assert "No goal matches" in ann.get(f"{GOALS}?q=nosuch").text
    assert "There is no page 3" in ann.get(f"{GOALS}?page=3").text


def test_only_the_back_office_reads_them(new_api, new_person, visitor):
    assert new_api(new_person("uma@example.com", "user")).get(GOALS).status_code == 403
    assert visitor.get(GOALS).status_code == 302
    assert visitor.get_json(GOALS).status_code == 401
