"""An activation from the press to the last mail."""


def test_every_lead_becomes_a_user_and_is_invited(db, smtp, program, new_leads):
    ids = new_leads(120)
    session_id = program.activate(leadIds=[str(i) for i in ids])
    events = list(program.events(f"/crm/activation/stream/{session_id}"))
    type, _, last = events[-1]
    assert type == "complete"
    assert last["activated"] == last["emailsSent"] == last["total"] == 120
    assert last["emailsPending"] == 0
    assert last["completed"]
    assert sorted(smtp.taken) == sorted(f"lead{i}@example.com" for i in range(120))
    assert smtp.count == 120
    assert db.users.count_documents({"leadId": {"$in": ids}}) == 120
    assert db.leads.count_documents({"status": "active", "userId": {"$in": ids}}) == 120
    assert db.jobs.find_one({"_id": session_id})["status"] == "completed"
