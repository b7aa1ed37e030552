"""The pages of imports, their JSON twins, and the export."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from crmapp.accounts import rights
from crmapp.accounts.access import signed_in, wants_json
from crmapp.audit import record as audit
from crmapp.database import Document, current, db
from crmapp.errors import MESSAGES, answer
from crmapp.imports import imports as brought_files
from crmapp.imports import listing, undo
from crmapp.imports.imports import NoSuchImport
from crmapp.imports.preview import preview
from crmapp.imports.start import start
from crmapp.jobs import progress
from crmapp.jobs.runner import BELL
from crmapp.leads.csvfile import NotACsv
from crmapp.leads.export import export
from crmapp.leads.headings import FIELDS
from crmapp.leads.importing import import_leads
from crmapp.leads.reasons import LABELS
from crmapp.live.blueprint import live
from crmapp.requests import BadInput, json_object
from crmapp.wire import success

imports = Blueprint("imports", __name__, url_prefix="/crm/leads")

LARGEST_FILE = 256 * 1024 * 1024
# What a form adds around a file.
FORM_BYTES = 64 * 1024
NO_FILE = "Send the CSV file as multipart/form-data, in the field `file`."
TOO_LARGE = "The file is larger than 256 MB. Split it, and import its parts one after the other."


@imports.url_value_preprocessor
def _allow_large_files(endpoint: str | None, values: Document | None) -> None:
    """Before anything reads the body, which the check of the CSRF token does."""
    if endpoint == "imports.bring":
        request.max_content_length = LARGEST_FILE + FORM_BYTES


@imports.errorhandler(RequestEntityTooLarge)
def _too_large(_: Exception) -> ResponseReturnValue:
    return answer(413, TOO_LARGE if request.endpoint == "imports.bring" else MESSAGES[413])


@imports.errorhandler(NoSuchImport)
def _no_such_import(_: Exception) -> ResponseReturnValue:
    return answer(404, "There is no such import, or it is kept no longer.")


@imports.get("/import")
def index() -> ResponseReturnValue:
    last = listing.recent(db, signed_in())
    if wants_json():
        return success({"items": last})
    return render_template("imports/index.html", imports=last, largest=LARGEST_FILE)


@imports.post("/import")
def import_at_once() -> ResponseReturnValue:
    file = request.files.get("file")
    if file is None:
        raise BadInput(NO_FILE)
    try:
        result = import_leads(db, signed_in().who, file.stream).to_dict()
    except NotACsv as error:
        raise BadInput(str(error), 415) from None
    audit.note(file.filename or "", imported=result["imported"], updated=result["updated"])
    return success(result)


@imports.post("/imports")
def bring() -> ResponseReturnValue:
    file = request.files.get("file")
    if file is None:
        raise BadInput(NO_FILE)
    name = (file.filename or "file.csv").replace("\\", "/").rpartition("/")[2][:200]
    brought = brought_files.bring(db, signed_in(), name, file.stream)
    audit.note(name)
    return success(brought_files.public(brought), 201)


@imports.get("/imports/<import_id>")
def show(import_id: str) -> ResponseReturnValue:
    brought = brought_files.find(db, signed_in(), import_id)
    (shown,) = listing.shown(db, [brought])
    if wants_json():
        return success({**brought_files.public(brought), **shown})
    return render_template(
        "imports/show.html",
        brought=brought_files.public(brought),
        shown=shown,
        fields=FIELDS,
        labels=LABELS,
    )


@imports.post("/imports/<import_id>/preview")
def show_preview(import_id: str) -> ResponseReturnValue:
    brought = brought_files.find(db, signed_in(), import_id)
    mapping = brought_files.mapping_of(brought, json_object())
    return success(preview(db, brought, mapping))


@imports.post("/imports/<import_id>/start")
def begin(import_id: str) -> ResponseReturnValue:
    user = signed_in()
    brought = brought_files.find(db, user, import_id)
    job = start(db, user, brought, brought_files.mapping_of(brought, json_object()))
    audit.note(brought["file"])
    return _started(job)


@imports.post("/imports/<import_id>/undo")
def take_back(import_id: str) -> ResponseReturnValue:
    user = signed_in()
    brought = brought_files.find(db, user, import_id)
    audit.note(brought["file"])
    return _started(undo.start(db, user, brought))


def _started(job: Document) -> ResponseReturnValue:
    progress.refresh(db, job["_id"])
    live.ring(BELL)
    started = {"jobId": job["_id"], "sessionId": job["_id"], "total": job["counts"]["total"]}
    return success(started, 202)


@imports.get("/imports/<import_id>/bad-rows.csv")
def bad_rows(import_id: str) -> ResponseReturnValue:
    brought = brought_files.find(db, signed_in(), import_id)
    pieces = listing.bad_rows(current(), brought)
    stem = brought["file"].rpartition(".")[0] or brought["file"]
    return _download(f"{stem}-bad-rows.csv", pieces)


@imports.get("/export.csv")
def export_csv() -> ResponseReturnValue:
    user = signed_in()
    if "export" not in rights.actions_for(user):
        raise BadInput("Your account may not export leads. Ask an administrator.", 403)
    audit.note(**request.args.to_dict())
    return _download(*export(current(), user, request.args.to_dict()))


def _download(name: str, pieces: Iterator[str]) -> Response:
    response = Response(stream_with_context(pieces), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
