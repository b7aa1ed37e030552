"""Who is online: seen within two minutes."""

from datetime import timedelta

from crmapp.accounts import presence
from crmapp.clock import now


def online(api):
    items = api.get("/crm/users?online=yes").json["data"]["items"]
    assert all(item["online"] for item in items)
    there, away = (
        api.get(f"/crm/users?online={answer}").json["data"]["total"] for answer in ("yes", "no")
    )
    assert there + away == api.get("/crm/users").json["data"]["total"]
    return {item["email"].partition("@")[0] for item in items}


def seen(db, person, ago, **more):
    db.users.update_one({"_id": person.key}, {"$set": {"lastSeenAt": now() - ago, **more}})


def test_a_request_makes_one_seen(sue, office, new_api):
    new_api(office.gil).get("/crm/leads")
    assert online(sue) == {"sue", "gil"}


def test_the_loop_keeps_it_true(db, sue, office):
    sue.get("/crm/users")
    seen(db, office.gil, timedelta(seconds=115), online=True)
    seen(db, office.ann, timedelta(seconds=125), online=True)
    seen(db, office.abe, timedelta(seconds=5))
    seen(db, office.ulf, timedelta(seconds=5), status="disabled")
    db.users.update_one({"_id": office.ivy.key}, {"$set": {"online": True}})
    presence.refresh(db)
    assert online(sue) == {"sue", "gil", "abe"}
    assert sue.get(f"/crm/users/{office.ann.id}").json["data"]["person"]["online"] is False
