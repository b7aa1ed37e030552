"""The e-mail queue page, its JSON twin, and what an administrator does there."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from crmapp.accounts.access import signed_in, wants_json
from crmapp.audit import record as audit
from crmapp.database import Document, current, db
from crmapp.mailqueue import control, failed, health, rows, status
from crmapp.mailqueue.announce import announce
from crmapp.mailqueue.export import export
from crmapp.mailqueue.failed import Outcome
from crmapp.mailqueue.filters import KEYS, State, parse, to_query
from crmapp.requests import BadInput, json_object, object_ids
from crmapp.wire import success

email_queue = Blueprint("email_queue", __name__, url_prefix="/crm/email-queue")

MOST_IDS = 10_000


@email_queue.get("")
def index() -> ResponseReturnValue:
    page, state, filter = rows.list_page(db, request.args.to_dict())
    groups = rows.groups(db, filter) if state == State.FAILED else []
    counts = rows.tab_counts(db)
    if wants_json():
        shown = {"items": page.items, "total": page.total, "capped": page.capped}
        numbers = {"page": page.page, "pages": page.pages, "counts": counts, "groups": groups}
        return success({**shown, **numbers})
    return render_template(
        "email_queue/index.html",
        page=page,
        state=state.value,
        filter={name: filter.get(name, "") for name in KEYS},
        counts=counts,
        groups=groups,
        reasons={reason.value: label for reason, label in rows.LABELS.items()},
        health=health.current(db),
    )


@email_queue.get("/status")
def show_status() -> ResponseReturnValue:
    return success(status.current(db))


@email_queue.get("/health")
def show_health() -> ResponseReturnValue:
    return success(health.current(db))


@email_queue.get("/mail/<mail_id>/timeline")
def timeline(mail_id: str) -> ResponseReturnValue:
    mail = rows.find(db, _id(mail_id))
    if mail is None:
        raise NotFound("There is no such mail any more. Reload the page.")
    return success({"mail": mail, "items": rows.timeline(db, mail)})


@email_queue.get("/export.csv")
def export_csv() -> ResponseReturnValue:
    name, pieces = export(current(), request.args.to_dict())
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(pieces, mimetype="text/csv", headers=disposition)


@email_queue.post("/failed/retry")
def retry() -> ResponseReturnValue:
    outcome = failed.retry(db, _wanted(), signed_in().who)
    audit.note(mails=outcome.done)
    return success(
        {"requeued": outcome.done, "skipped": _skipped(outcome), "msg": outcome.told_as("Requeued")}
    )


@email_queue.post("/failed/drop")
def drop() -> ResponseReturnValue:
    return _dropped(failed.drop(db, _wanted(), signed_in().who))


@email_queue.delete("/failed/<mail_id>")
def drop_one(mail_id: str) -> ResponseReturnValue:
    outcome = failed.drop(db, [_id(mail_id)], signed_in().who)
    if outcome.skipped[failed.Skip.NOT_FOUND]:
        raise NotFound("This mail is not among the failed ones any more. Reload the page.")
    return _dropped(outcome)


def _dropped(outcome: Outcome) -> ResponseReturnValue:
    audit.note(mails=outcome.done)
    return success(
        {"dropped": outcome.done, "skipped": _skipped(outcome), "msg": outcome.told_as("Dropped")}
    )


def _skipped(outcome: Outcome) -> dict[str, int]:
    return {skip.value: count for skip, count in outcome.skipped.items() if count}


def _wanted() -> list[ObjectId] | Document:
    """The ids or the query of the failed mails that the body names. Raises BadInput."""
    body = json_object()
    if ("ids" in body) == ("filter" in body):
        raise BadInput("Send either ids or a filter.")
    if "ids" in body:
        return object_ids(body["ids"], "ids", MOST_IDS, "mail")
    filter: Any = body["filter"]
    if not isinstance(filter, dict):
        raise BadInput("filter must be an object.")
    return to_query(db, State.FAILED, parse(filter))


def _id(mail_id: str) -> ObjectId:
    if not ObjectId.is_valid(mail_id):
        raise NotFound("There is no such mail. Reload the page.")
    return ObjectId(mail_id)


@email_queue.post("/pause")
def pause() -> ResponseReturnValue:
    changed = control.pause(db, signed_in().who)
    return _health("The queue is paused." if changed else "The queue was paused already.")


@email_queue.post("/resume")
def resume() -> ResponseReturnValue:
    changed = control.resume(db)
    return _health("The queue goes on." if changed else "The queue was not paused.")


def _health(msg: str) -> ResponseReturnValue:
    announce(db)
    return success({**health.current(db), "msg": msg})
