"""Every refusal and fault in one form: JSON for programs, a page for people, never a stack trace."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from flask import Flask, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from pymongo.errors import ExecutionTimeout, PyMongoError
from werkzeug.exceptions import HTTPException

from crmapp import request_id
from crmapp.accounts.access import check_csrf, wants_json
from crmapp.availability import passes
from crmapp.jobs.jobs import NoSuchJob, NotYours
from crmapp.requests import BadInput
from crmapp.wire import failure

log = logging.getLogger(__name__)

TITLES = {
    400: "That did not work",
    401: "Please sign in",
    403: "Not for you",
    404: "Nothing here",
    405: "Not that way",
    413: "Too large",
    415: "Not a file we can read",
    422: "That did not work",
    429: "Too many attempts",
    500: "Our fault",
    503: "One moment, please",
}
MESSAGES = {
    401: "Please sign in.",
    403: "Your account may not do this. Ask an administrator.",
    404: "There is nothing at this address.",
    405: "This address does not take such a request.",
    413: "What you sent is too large: 32 MB is the most. Split the file and send its parts.",
    429: "Too many attempts. Please wait a minute, then try again.",
}
RETRY_AFTER_SECONDS = 3


def init_app(app: Flask) -> None:
    app.before_request(check_csrf)
    app.register_error_handler(BadInput, lambda error: answer(error.status, str(error)))
    app.register_error_handler(NotYours, _not_yours)
    app.register_error_handler(NoSuchJob, _no_such_job)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(PyMongoError, _no_database)
    app.register_error_handler(ExecutionTimeout, _too_slow)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _fault)


def answer(status: int, message: str) -> ResponseReturnValue:
    """`message` says what was wrong and what to do."""
    # The body itself may be what cannot be read, so only its type is asked.
    is_form = request.mimetype == "application/x-www-form-urlencoded"
    if wants_json() or (request.method != "GET" and not is_form):
        return failure(message, status) if status < 500 else _fault_of_ours(message, status)
    title = TITLES.get(status, "That did not work")
    # With the database away, a page that shows who is signed in would fail too.
    page = render_template(
        "error.html",
        code=status,
        title=title,
        message=message,
        plain=status >= 500,
        again=request.full_path.rstrip("?") if status >= 500 and request.method == "GET" else None,
        back=_page_before(),
        request_id=request_id.current() if status > 500 else None,  # 500 has it in its sentence
    )
    return make_response(page, status)


def _fault_of_ours(message: str, status: int) -> ResponseReturnValue:
    """With what finds it in the log."""
    told = {"success": False, "msg": message, "requestId": request_id.current()}
    return jsonify(told), status


def _page_before() -> str | None:
    """The path of the page of this site that led here."""
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return None
    before = f"{parts.path}?{parts.query}".rstrip("?")
    here = request.full_path.rstrip("?")
    return before if parts.netloc == request.host and before != here else None


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    answered = make_response(answer(error.code, MESSAGES.get(error.code, error.description or "")))
    for name, value in error.get_headers(request.environ):
        if name.lower() in ("allow", "retry-after"):
            answered.headers[name] = value
    return answered


def _not_yours(_: Exception) -> ResponseReturnValue:
    return answer(403, "This job belongs to another administrator.")


def _no_such_job(_: Exception) -> ResponseReturnValue:
    return answer(404, "There is no such job, or it is kept no longer.")


def _forged(_: Exception) -> ResponseReturnValue:
    return answer(
        400,
        "The page is out of date or the request did not come from it: reload the page and try again.",
    )


def _no_database(error: PyMongoError) -> ResponseReturnValue:
    if not passes(error):
        return _fault(error)
    log.error("MongoDB does not answer: %s", error)
    return _try_again(
        "The database does not answer at the moment. Nothing was lost: try again in a few seconds."
    )


def _too_slow(_: Exception) -> ResponseReturnValue:
    if request.method == "GET":
        return answer(503, "This search takes too long. Narrow it down with a filter.")
    return _try_again(
        "The database is too busy for this at the moment. Try again in a few seconds."
    )


def _try_again(message: str) -> ResponseReturnValue:
    answered = make_response(answer(503, message))
    answered.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return answered


def _fault(error: Exception) -> ResponseReturnValue:
    fault_id = request_id.current()
    log.exception("fault %s at %s %s", fault_id, request.method, request.path)
    return answer(
        500, f"Something went wrong on our side. If it happens again, report fault {fault_id}."
    )
