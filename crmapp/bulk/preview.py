"""What an action would do, before it does anything."""

from __future__ import annotations

from collections import Counter

from crmapp.accounts import rights
from crmapp.accounts.users import User
from crmapp.bulk.actions import Action
from crmapp.bulk.verdicts import Reason
from crmapp.database import Db, Document
from crmapp.leads import selections


def preview(db: Db, user: User, action: Action, params: Document, wanted: Document) -> Document:
    """How many of the leads that are `wanted` (see selections.parse) would be changed, and how many not, by reason.
    They are frozen as a set, whose id is part of the answer. Raises BadInput where nothing is selected."""
    selection = selections.freeze(db, user, wanted)
    outcomes: Counter[str] = Counter()
    written_of = 0
    for ids in selections.ids_of(db, selection["_id"]):
        theirs = {**rights.leads_of(user), "_id": {"$in": ids}}
        for lead in db.leads.find(theirs, dict.fromkeys(action.fields, 1)):
            changes, reason, delete = action.judge(lead, params)
            outcomes[reason or ("change" if changes or delete else "unchanged")] += 1
        if action.name == "delete":
            written_of += db.journal_entries.count_documents({"leadId": {"$in": ids}})
    outcomes[Reason.NOT_FOUND] += selection["total"] - outcomes.total()
    skipped = {reason.value: outcomes[reason] for reason in Reason if outcomes[reason]}
    return {
        "selectionId": selection["_id"],
        "total": selection["total"],
        "toChange": outcomes["change"],
        "unchanged": outcomes["unchanged"],
        "skipped": skipped,
        **({"journalEntries": written_of} if action.name == "delete" else {}),
    }
