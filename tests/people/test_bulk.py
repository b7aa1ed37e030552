"""What is done with several users at once, each on their own."""

import pytest
from bson import ObjectId


@pytest.fixture
def act(office):
    """Does something with people of the office; returns who was refused and why, and the answer."""

    def ask(api, action, names, **body):
        ids = [getattr(office, name).id for name in names.split()]
        answer = api.post(f"/crm/users/bulk/{action}", {"userIds": ids, **body})
        assert answer.status_code == 200, answer.text
        data = answer.json["data"]
        assert [item["id"] for item in data["items"]] == ids
        assert (data["done"], data["refused"]) == (
            sum(item["ok"] for item in data["items"]),
            sum(not item["ok"] for item in data["items"]),
        )
        return {
            name: item["reason"]
            for name, item in zip(names.split(), data["items"], strict=True)
            if not item["ok"]
        }

    return ask


EVERYBODY = "sue sam ann abe gil ulf ivy"
FROM_ANN = {"sue": "above_you", "sam": "above_you", "ann": "yourself", "abe": "above_you"}


@pytest.mark.parametrize(
    ("action", "body", "refused", "changed"),
    [
        ("disable", {}, FROM_ANN, {"gil", "ulf", "ivy"}),
        ("enable", {}, FROM_ANN | dict.fromkeys(("gil", "ulf", "ivy"), "unchanged"), set()),
        ("role", {"role": "user"}, FROM_ANN | {"ulf": "unchanged"}, {"gil", "ivy"}),
        ("reinvite", {}, FROM_ANN | {"gil": "not_invited", "ulf": "not_invited"}, {"ivy"}),
    ],
)
def test_each_is_judged_alone_and_the_preview_tells_it(
    db, office, ann_api, act, action, body, refused, changed
):
    def state():
        watched = {"role": 1, "status": 1, "invitedAgainAt": 1}
        return {user["name"].lower(): user for user in db.users.find({}, {**watched, "name": 1})}

    before = state()
    assert act(ann_api, f"{action}/preview", EVERYBODY, **body) == refused
    assert state() == before
    assert act(ann_api, action, EVERYBODY, **body) == refused
    after = state()
    assert {name for name in after if after[name] != before[name]} == changed
    assert db.pending_emails.count_documents({}) == (action == "reinvite")


def test_a_disabled_person_is_enabled_and_needs_no_link_meanwhile(sue, act, stored, office):
    assert act(sue, "disable", "gil ivy") == {}
    assert act(sue, "reinvite", "gil ivy") == {"gil": "disabled", "ivy": "disabled"}
    assert act(sue, "enable", "gil ivy") == {}
    assert (stored(office.gil)["status"], stored(office.ivy)["status"]) == ("active", "invited")


def test_who_is_not_there_is_said(sue, office):
    nobody = str(ObjectId())
    data = sue.post("/crm/users/bulk/disable", {"userIds": [nobody, office.gil.id]}).json["data"]
    assert [(item["ok"], item["reason"]) for item in data["items"]] == [
        (False, "not_found"),
        (True, None),
    ]
    assert data["items"][0]["msg"] == "There is no such user."


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("disable", {}, 400),
        ("disable", {"userIds": []}, 400),
        ("disable", {"userIds": ["nonsense"]}, 400),
        ("disable", {"userIds": [str(ObjectId()) for _ in range(501)]}, 413),
        ("role", {"userIds": [str(ObjectId())]}, 400),
        ("role", {"userIds": [str(ObjectId())], "role": "boss"}, 400),
        ("role", {"userIds": [str(ObjectId())], "role": "admin"}, 403),
        ("remove", {"userIds": [str(ObjectId())]}, 404),
    ],
)
def test_what_cannot_be_done(ann_api, action, body, status):
    for path in (action, f"{action}/preview"):
        assert ann_api.post(f"/crm/users/bulk/{path}", body).status_code == status
