"""Setting, editing and deleting a goal in the browser."""

from datetime import UTC, datetime

import pytest

from crmapp.wire import iso

GOALS = "/crm/goals"
NEW = f"{GOALS}/new"


@pytest.fixture
def typed(admin):
    """A form as it is filled in."""
    return {
        "userId": admin.id,
        "title": "Sign ten customers",
        "target": "10",
        "unit": "customers",
        "progress": "2.5",
        "from": "2026-01-01",
        "to": "2026-03-31",
        "notes": "First line\r\nsecond",
    }


def test_a_goal_is_set(ann, db, typed, admin):
    answer = ann.submit(GOALS, NEW, **typed)
    assert answer.status_code == 302, answer.text
    (goal,) = db.goals.find()
    assert (goal["userId"], goal["title"]) == (admin.key, "Sign ten customers")
    assert (goal["target"], goal["progress"], goal["unit"]) == (10, 2.5, "customers")
    assert goal["from"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert goal["to"] == datetime(2026, 3, 31, tzinfo=UTC)
    assert goal["notes"] == "First line\nsecond"
    assert goal["createdBy"] == {"id": admin.key, "name": admin.email}
    assert goal["createdAt"] == goal["updatedAt"]
    assert "The goal “Sign ten customers” is set." in ann.get(answer.location).text


def test_a_new_goal_is_ones_own_until_another_person_is_chosen(ann, new_person, admin):
    assert f'<option value="{admin.id}" selected>' in ann.get(NEW).text
    bob = new_person("bob@example.com")
    assert f'<option value="{bob.id}" selected>' in ann.get(f"{NEW}?person={bob.id}").text


def test_what_was_typed_is_kept_and_each_fault_stands_at_its_field(ann, db, typed):
    wrong = {"userId": "", "title": " ", "target": "0", "progress": "many", "from": "1.1.2026"}
    answer = ann.submit(GOALS, NEW, **{**typed, **wrong, "unit": "<b>"})
    assert answer.status_code == 422
    assert 'value="many"' in answer.text
    assert 'value="&lt;b&gt;"' in answer.text
    for name, words in {
        "userId": "Choose the person whose goal this is.",
        "title": "Give it a title.",
        "target": "The target must be more than 0.",
        "progress": "Progress must be a number from 0 to 1,000,000,000.",
        "from": "From must be a day, like 2026-01-31.",
    }.items():
        assert f'<p class="field-error" id="{name}-error">{words}' in answer.text
        assert f'aria-describedby="{name}-error"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 5
    assert db.goals.count_documents({}) == 0


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("to", "2025-12-31", "The period ends before it begins."),
        ("from", "1969-12-31", "From is too long ago."),
        ("target", "nan", "Target must be a number"),
        ("target", "1e400", "Target must be a number"),
        ("target", "1000000001", "Target must be a number from 0 to 1,000,000,000."),
        ("progress", "-1", "Progress must be a number"),
        ("title", "x" * 201, "Title is longer than 200 characters."),
        ("unit", "x" * 41, "Unit is longer than 40 characters."),
        ("notes", "x" * 5001, "Notes is longer than 5000 characters."),
        ("userId", "65a000000000000000000001", "This person does not work here any more."),
    ],
)
def test_what_cannot_be_a_goal(ann, typed, field, value, words):
    answer = ann.submit(GOALS, NEW, **{**typed, field: value})
    assert answer.status_code == 422
    assert words in answer.text


def test_a_former_lead_has_no_goals(ann, typed, new_person):
    uma = new_person("uma@example.com", "user")
    assert ann.submit(GOALS, NEW, **{**typed, "userId": uma.id}).status_code == 422
    assert uma.id not in ann.get(NEW).text


def test_a_goal_is_changed(ann, db, typed, new_goal, admin):
    goal = new_goal(userId=admin.key)
    path = f"{GOALS}/{goal['_id']}"
    assert 'value="Sign ten customers"' in ann.get(path).text
    answer = ann.submit(path, **{**typed, "progress": "7"}, updatedAt=iso(goal["updatedAt"]))
    assert answer.status_code == 302, answer.text
    changed = db.goals.find_one()
    assert changed["progress"] == 7
    assert changed["updatedAt"] > goal["updatedAt"]
    assert (changed["createdAt"], changed["createdBy"]) == (goal["createdAt"], goal["createdBy"])


def test_a_goal_outlives_the_job_of_its_person(ann, db, typed, new_goal):
    goal = new_goal()
    path = f"{GOALS}/{goal['_id']}"
    assert f'<option value="{goal["userId"]}" selected>Nobody' in " ".join(
        ann.get(path).text.split()
    )
    answer = ann.submit(path, **{**typed, "userId": str(goal["userId"]), "progress": "9"})
    assert answer.status_code == 302
    assert db.goals.find_one()["progress"] == 9


def test_nobody_overwrites_unseen_what_another_has_changed(ann, db, typed, new_goal):
    goal = new_goal()
    path = f"{GOALS}/{goal['_id']}"
    seen = iso(goal["updatedAt"])
    ann.submit(path, **{**typed, "progress": "5", "updatedAt": seen})
    answer = ann.submit(path, **{**typed, "progress": "6", "updatedAt": seen})
    assert answer.status_code == 409
    assert "Somebody else has changed this meanwhile" in answer.text
    assert 'value="6"' in answer.text
    now_there = db.goals.find_one()
    assert now_there["progress"] == 5
    newest = iso(now_there["updatedAt"])
    assert ann.submit(path, **{**typed, "progress": "6", "updatedAt": newest}).status_code == 302


def test_a_goal_is_deleted_after_a_question(ann, db, new_goal):
    goal, other = new_goal(), new_goal()
    page = ann.get(f"{GOALS}/{goal['_id']}").text
    assert '<dialog id="delete-dialog"' in page
    assert f'action="/crm/goals/{goal["_id"]}/delete"' in page
    answer = ann.submit(f"{GOALS}/{goal['_id']}/delete", NEW)
    assert answer.status_code == 302
    assert [left["_id"] for left in db.goals.find()] == [other["_id"]]
    assert ann.submit(f"{GOALS}/{goal['_id']}/delete", NEW).status_code == 404


def test_the_way_back_is_the_list_as_it_was(ann, typed, new_goal):
    goal = new_goal()
    path = f"{GOALS}/{goal['_id']}?state=open&page=1"
    assert 'href="/crm/goals?state=open&amp;page=1">Cancel' in ann.get(path).text
    assert ann.submit(path, **typed).location == "/crm/goals?state=open&page=1"


def test_a_form_needs_its_token(ann, db, typed):
    assert ann.client.post(GOALS, data=typed).status_code == 400
    assert db.goals.count_documents({}) == 0
