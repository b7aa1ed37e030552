"""The goals' JSON."""

import pytest
from bson import ObjectId

from crmapp.wire import iso

GOALS = "/crm/goals"


@pytest.fixture
def send(api):
    """Send a method with a JSON body to a goal."""

    def call(method, goal_id, body=None):
        path = f"{GOALS}/{goal_id}"
        return api.client.open(path, method=method, json=body, headers=api.headers)

    return call


@pytest.fixture
def body(admin):
    return {
        "userId": admin.id,
        "title": "Sign ten customers",
        "target": 10,
        "from": "2026-01-01",
        "to": "2026-03-31",
    }


def test_a_goal_is_set_read_changed_and_deleted(api, send, db, body, admin):
    answer = api.post(GOALS, body)
    assert answer.status_code == 201, answer.text
    goal = answer.json["data"]
    assert (goal["userId"], goal["userName"]) == (admin.id, admin.name)
    assert (goal["target"], goal["progress"], goal["percentage"]) == (10, 0, 0)
    assert (goal["from"], goal["to"]) == ("2026-01-01", "2026-03-31")
    assert api.get(f"{GOALS}/{goal['id']}").json["data"] == goal
    assert api.get(GOALS).json["data"]["items"] == [goal]

    changed = send("PATCH", goal["id"], {"progress": 10}).json["data"]
    assert (changed["progress"], changed["state"], changed["title"]) == (
        10,
        "reached",
        goal["title"],
    )
    assert changed["updatedAt"] >= goal["updatedAt"]

    assert send("DELETE", goal["id"]).status_code == 200
    assert api.get(f"{GOALS}/{goal['id']}").status_code == 404
    assert db.goals.count_documents({}) == 0


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"userId": {"$ne": None}}, 422, "UserId must be text."),
        ({"title": {"$gt": ""}}, 422, "Title must be text."),
        ({"target": {"$gt": 0}}, 422, "Target must be a number"),
        ({"target": True}, 422, "Target must be a number"),
        ({"progress": [1]}, 422, "Progress must be a number"),
        ({"from": 20260101}, 422, "From must be text."),
        ({"to": "2025-01-01"}, 422, "The period ends before it begins."),
        ({"createdBy": "x"}, 400, "There is no field 'createdBy'"),
    ],
)
def test_what_cannot_be_a_goal(api, db, send, body, new_goal, admin, more, status, words):
    answer = api.post(GOALS, {**body, **more})
    assert (answer.status_code, answer.json["success"]) == (status, False)
    assert words in answer.json["msg"]
    assert db.goals.count_documents({}) == 0
    goal = new_goal(userId=admin.key)
    assert send("PATCH", goal["_id"], more).status_code == status
    assert db.goals.find_one() == goal


def test_a_program_may_ask_that_nobody_has_changed_it_meanwhile(send, db, new_goal):
    goal = new_goal()
    seen = iso(goal["updatedAt"])
    assert send("PATCH", goal["_id"], {"progress": 5, "updatedAt": seen}).status_code == 200
    answer = send("PATCH", goal["_id"], {"progress": 6, "updatedAt": seen})
    assert answer.status_code == 409
    assert "Somebody else has changed this" in answer.json["msg"]
    assert db.goals.find_one()["progress"] == 5


def test_a_goal_that_is_not_there(api, send):
    for goal_id in (ObjectId(), "nonsense"):
        assert api.get(f"{GOALS}/{goal_id}").status_code == 404
        assert send("PATCH", goal_id, {"progress": 1}).status_code == 404
        assert send("DELETE", goal_id).status_code == 404
