"""An import is taken back, as far as nobody has touched its leads since."""

from datetime import UTC, datetime

import pytest

from crmapp.clock import now
from crmapp.leads import words
from tests.imports.desk import IMPORTS
from tests.support.work import claim_all, new_runner, refresh

BEFORE = {"name": "Bo", "company": "Old Ltd", "tags": ["a"], "notes": "old"}
CHANGING = "Email,Name,Company,Tags,Notes\nbo@x.com,Bo Ek,New Ltd,b;c,new\n"


def test_leads_that_nobody_touched_are_what_they_were(desk, new_leads):
    (there,) = new_leads(1, email="bo@x.com", **BEFORE)
    desk.db.leads.update_one({"_id": there}, {"$unset": {"phone": 1}})
    lead = desk.db.leads.find_one({"_id": there})
    import_id = desk.do(
        CHANGING.replace("\n", ",Phone\n", 1).replace("new\n", "new,123\nann@x.com\n")
    )
    assert desk.emails() == ["ann@x.com", "bo@x.com"]
    answer = desk.undo(import_id)
    assert answer.status_code == 202
    assert answer.json["data"]["total"] == 2
    desk.run()
    undo_id = answer.json["data"]["jobId"]
    assert desk.counts(undo_id) == {"total": 2, "removed": 1, "restored": 1}
    assert desk.emails() == ["bo@x.com"]
    back = desk.db.leads.find_one({"_id": there})
    lead["words"] = words.of(lead)
    assert back.pop("updatedAt") > lead.pop("updatedAt")
    assert {**back, "phone": back.get("phone") or ""} == {**lead, "phone": ""}
    event = desk.db.events.find_one({"leadId": there, "how": "undo_import"})
    assert event["changes"]["name"] == ["Bo Ek", "Bo"]
    assert event["jobId"] == undo_id
    deleted = desk.db.events.find_one({"type": "lead_deleted"})
    assert deleted["lead"]["email"] == "ann@x.com"
    (shown,) = desk.api.get("/crm/leads/import").json["data"]["items"]
    assert (shown["undone"], shown["mayUndo"]) == (True, False)
    assert desk.undo(import_id).status_code == 409


def edited(db, lead_id):
    db.leads.update_one({"_id": lead_id}, {"$set": {"name": "Other", "updatedAt": now()}})


def active(db, lead_id):
    db.leads.update_one({"_id": lead_id}, {"$set": {"status": "active", "userId": lead_id}})


def held(db, lead_id):
    changes = {"status": "activating", "activationId": "activation_1_a"}
    db.leads.update_one({"_id": lead_id}, {"$set": changes})


def noted(db, lead_id):
    db.journal_entries.insert_one({"leadId": lead_id, "text": "Called", "at": now()})


def gone(db, lead_id):
    db.leads.delete_one({"_id": lead_id})


@pytest.mark.parametrize(
    ("touch", "created", "changed"),
    [
        (edited, "changed_since", "changed_since"),
        (active, "has_account", None),
        (held, "held_by_activation", "held_by_activation"),
        (noted, "has_journal", None),
        (gone, None, "not_found"),
    ],
)
def test_leads_that_somebody_touched_stay(desk, new_leads, touch, created, changed):
    new_leads(1, email="bo@x.com", **BEFORE)
    import_id = desk.do(CHANGING + "ann@x.com\ncy@x.com\n")
    for email in ("ann@x.com", "bo@x.com"):
        touch(desk.db, desk.db.leads.find_one({"email": email})["_id"])
    as_touched = {lead["email"]: lead for lead in desk.db.leads.find()}
    undo_id = desk.undo(import_id).json["data"]["jobId"]
    desk.run()
    after = {lead["email"]: lead for lead in desk.db.leads.find()}
    assert "cy@x.com" not in after
    rows = desk.db.job_errors.find({"jobId": undo_id})
    assert sorted(row["reason"] for row in rows) == sorted(filter(None, [created, changed]))
    assert desk.counts(undo_id).get("skipped", 0) == len([r for r in (created, changed) if r])
    if created:
        assert after["ann@x.com"] == as_touched["ann@x.com"]
    if changed and "bo@x.com" in after:
        assert after["bo@x.com"] == as_touched["bo@x.com"]
    elif changed is None:
        assert after["bo@x.com"]["name"] == "Bo"


def test_what_cannot_be_undone(desk, site):
    brought = desk.bring("Email\nann@x.com\n")["id"]
    assert "not imported yet" in desk.undo(brought).json["msg"]
    desk.start(brought)
    assert "Wait until" in desk.undo(brought).json["msg"]
    desk.run()
    nothing = desk.do("Email\nann@x.com\n")
    assert "Nothing that this import wrote" in desk.undo(nothing).json["msg"]
    assert desk.undo("lead_import_0_nothing").status_code == 404


def test_two_presses_are_one_undo(desk):
    import_id = desk.do("Email\nann@x.com\n")
    first, second = desk.undo(import_id), desk.undo(import_id)
    assert first.json["data"]["jobId"] == second.json["data"]["jobId"]
    desk.run()
    assert desk.emails() == []


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_an_undo_that_is_killed_goes_on_where_it_was(desk, site, after):
    desk.do("Email,Name\n" + "".join(f"o{n}@x.com,old\n" for n in range(700)))
    content = "".join(f"o{n}@x.com,new\n" for n in range(700))
    content += "".join(f"n{n}@x.com,new\n" for n in range(700))
    import_id = desk.do("Email,Name\n" + content)
    undo_id = desk.undo(import_id).json["data"]["jobId"]
    runner = new_runner(site)
    (first,) = claim_all(runner)
    for _ in range(after):
        runner.step(first)
    old = datetime(2020, 1, 1, tzinfo=UTC)
    desk.db.jobs.update_one({"_id": undo_id}, {"$set": {"lease.until": old}})
    (other,) = claim_all(runner)
    assert runner.step(first) is None
    while runner.step(other) is not None:
        pass
    refresh(site, undo_id)
    assert desk.counts(undo_id) == {"total": 1400, "removed": 700, "restored": 700}
    assert (
        desk.db.leads.count_documents({"name": "old"}) == desk.db.leads.count_documents({}) == 700
    )


def test_an_undo_that_is_cancelled_can_be_done_again(desk):
    import_id = desk.do("Email\nann@x.com\n")
    undo_id = desk.undo(import_id).json["data"]["jobId"]
    assert desk.api.post(f"/crm/jobs/{undo_id}/cancel").status_code == 200
    desk.run()
    assert desk.emails() == ["ann@x.com"]
    assert desk.undo(import_id).status_code == 202
    desk.run()
    assert desk.emails() == []


def test_an_import_can_be_undone_after_its_job_is_forgotten(desk):
    import_id = desk.do("Email\nann@x.com\nnobody\n")
    desk.db.jobs.delete_one({"_id": import_id})
    desk.db.job_errors.delete_many({"jobId": import_id})
    assert desk.bad_rows(import_id).status_code == 404
    shown = desk.api.get(f"{IMPORTS}/{import_id}").json["data"]
    assert (shown["counts"]["imported"], shown["badRows"], shown["mayUndo"]) == (1, 0, True)
    desk.undo(import_id)
    desk.run()
    assert desk.emails() == []


def test_the_leads_of_another_import_are_left_alone(desk):
    first = desk.do("Email\nann@x.com\n")
    second = desk.do("Email\nbo@x.com\n")
    desk.undo(first)
    desk.run()
    assert [lead["importId"] for lead in desk.db.leads.find()] == [second]
