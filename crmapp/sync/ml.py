"""The ML service, which is told of every document that changed: PUT or DELETE /documents/<type>/<id>, as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from crmapp.database import Document
from crmapp.jobs.jobs import JobFault
from crmapp.sync.source import BadItem, Reason
from crmapp.wire import to_json

# It warns of every attempt; what comes of them is told once, by the runner.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)

AT_ONCE = 8
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
RETRIES = 3
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5
# Of the service, not of what it was sent.
BUSY = (408, 429, 502, 503, 504)
GONE = (404, 410)
SENT = ("title", "text", "metadata", "ownerId", "date", "contentHash")
LONGEST_WORDS = 300


@dataclass(frozen=True)
class Message:
    """What the service is told of one document; `key` tells it apart. Without a body, that it is gone."""

    key: bytes
    method: str
    path: str
    idempotency_key: str
    body: bytes | None = None


def message_of(key: bytes, document: Document, job_id: str) -> Message:
    type, item_id = document["type"], str(document["sourceId"])
    body = {"type": type, "id": item_id, **{name: document[name] for name in SENT}}
    name = f"{job_id}/{_quoted(item_id)}/{document['contentHash']}"
    return Message(key, "PUT", _path(type, item_id), name, to_json(body).encode())


def message_of_removal(key: bytes, type: str, item_id: Any, job_id: str) -> Message:
    name = f"{job_id}/{_quoted(str(item_id))}/removed"
    return Message(key, "DELETE", _path(type, str(item_id)), name)


def _path(type: str, item_id: str) -> str:
    return f"/documents/{_quoted(type)}/{_quoted(item_id)}"


def _quoted(text: str) -> str:
    return quote(text, safe="")


@dataclass
class _Outcome:
    """What became of some messages."""

    taken: int = 0
    rejected: dict[bytes, BadItem] = field(default_factory=dict)

    @property
    def faults(self) -> int:
        reasons = [error.reason for error in self.rejected.values()]
        return reasons.count(Reason.ML_SERVICE_FAULT)


class MlService:
    """A client of the service at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        retries = urllib3.Retry(
            RETRIES,
            status_forcelist=[*BUSY, 500],
            # The same message twice is the same as once.
            allowed_methods=None,
            backoff_factor=FIRST_PAUSE_SECONDS,
            retry_after_max=LONGEST_PAUSE_SECONDS,
            raise_on_status=False,
        )
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
        self._pool = urllib3.PoolManager(maxsize=AT_ONCE, timeout=timeout, retries=retries)
        self._helpers = ThreadPoolExecutor(AT_ONCE)
        self._has_taken = False

    def send(
        self, messages: list[Message], seconds: float, still_here: Callable[[], None]
    ) -> dict[bytes, BadItem]:
        """Send all, AT_ONCE at a time. Returns what was rejected, by key. While the service is slow, `still_here` is
        called every so many `seconds`; what it raises ends the sending. Raises JobFault where the service does not
        answer, or can take nothing."""
        waiting = {self._helpers.submit(self._send, message) for message in messages}
        outcome = _Outcome()
        try:
            while waiting:
                done, waiting = wait(waiting, seconds, FIRST_EXCEPTION)
                for each in done:
                    self._note(each, outcome)
                if waiting:
                    still_here()
        finally:
            for each in waiting:
                each.cancel()
        self._require_health(outcome)
        return outcome.rejected

    def _send(self, message: Message) -> tuple[bytes, BadItem | None]:
        headers = {"Idempotency-Key": message.idempotency_key, "Content-Type": "application/json"}
        try:
            answer = self._pool.request(
                message.method,
                self._url + message.path,
                body=message.body,
                headers=headers,
                redirect=False,
            )
        except HTTPError as error:
            raise JobFault(
                f"The ML service at {self._place} does not answer ({_cause(error)}). Look whether it runs, then "
                "resume the job."
            ) from error
        return message.key, self._rejection(message, answer)

    def _rejection(self, message: Message, answer: urllib3.BaseHTTPResponse) -> BadItem | None:
        if 200 <= answer.status < 300 or (message.method == "DELETE" and answer.status in GONE):
            return None
        words = f"{answer.status} {answer.reason or ''}".strip() + _explanation(answer.data)
        if answer.status in BUSY:
            raise self._unable(words)
        if answer.status >= 500:
            return BadItem(Reason.ML_SERVICE_FAULT, words)
        return BadItem(Reason.REFUSED_BY_ML_SERVICE, words)

    def _note(self, sent: Future[tuple[bytes, BadItem | None]], outcome: _Outcome) -> None:
        key, rejection = sent.result()
        if rejection:
            outcome.rejected[key] = rejection
        else:
            outcome.taken += 1
            self._has_taken = True

    def _require_health(self, outcome: _Outcome) -> None:
        """One document at which the service fails is that document's fault; all of them are the service's."""
        failed = outcome.faults
        if failed and not outcome.taken and (failed >= AT_ONCE or not self._has_taken):
            raise self._unable(next(iter(outcome.rejected.values())).words)

    def _unable(self, words: str) -> JobFault:
        return JobFault(
            f"The ML service at {self._place} cannot take documents ({words}). Look into its log, then resume the job."
        )

    @property
    def _place(self) -> str:
        """Its address, without what may be secret in it."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _cause(error: HTTPError) -> str:
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, urllib3.exceptions.ReadTimeoutError):
        return f"nothing came within {ANSWER_SECONDS:g} s"
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return "connection refused" if "refused" in str(cause) else "no connection"
    if isinstance(cause, urllib3.exceptions.ConnectTimeoutError):
        return f"no connection within {CONNECT_SECONDS:g} s"
    return "the connection broke"


def _explanation(data: bytes) -> str:
    """What the body of an answer says of the cause, as the end of a sentence."""
    text = data[:10_000].decode(errors="replace")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        said = (body.get(name) for name in ("msg", "message", "error", "detail"))
        text = next((words for words in said if isinstance(words, str)), text)
    words = " ".join(text.replace("\0", " ").split())
    return f": {words[:LONGEST_WORDS]}" if words else ""
