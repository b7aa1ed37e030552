"""How every process writes its log: a line per record, key=value or JSON, with the id of the request that it is about.

Imports nothing of the application, because gunicorn's master writes so too and must not import what gevent patches
later.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

TEXT, JSON = "text", "json"

# Set for as long as this thread, or greenlet, answers a request.
request_id: ContextVar[str] = ContextVar("request_id", default="")

# Links that let somebody in, API tokens, and passwords in addresses of servers.
_SECRETS = re.compile(
    r"(?<=/invitation/)[^/\s\"'?]+"
    r"|(?<=/password/)[^/\s\"'?]+"
    r"|(?<=Bearer )[^\s\"']+"
    r"|\bcrm_[\w-]{16,}"
    r"|(?<=://)[^/\s\"'@]+(?=@)"
)
_SIGNS = ("/invitation/", "/password/", "Bearer ", "crm_", "://")
# All that is printable in ASCII but the space, " and =.
_is_bare = re.compile(r"[!#-<>-~]+").fullmatch


def config(format: str) -> dict[str, Any]:
    """What logging.config.dictConfig is told. `format` is TEXT or JSON. From now on, what Python itself would print,
    warnings and what a thread died of, are records too."""
    logging.captureWarnings(True)
    threading.excepthook = _thread_failed
    # Nothing of this is written, and finding it out costs as much as the rest of a record.
    logging._srcfile = None
    logging.logThreads = logging.logMultiprocessing = False
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": {TEXT: TextLine, JSON: JSONLine}[format]}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {"crmapp": {"level": "INFO"}, "gunicorn.error": {"propagate": True}},
    }


def _thread_failed(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread else "unknown"
    error = args.exc_value or args.exc_type()
    logging.getLogger("crmapp").critical("the thread %s failed", name, exc_info=error)


@lru_cache(maxsize=4)
def _second(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """`record.fields`, where there are any, are written as they are named."""
        values: dict[str, Any] = {
            "time": f"{_second(int(record.created))}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
        }
        asked = request_id.get()
        if asked:
            values["requestId"] = asked
        values["message"] = record.getMessage()
        values |= getattr(record, "fields", {})
        if record.exc_info:
            values["error"] = self.formatException(record.exc_info)
        return without_secrets(self.line(values))

    def line(self, values: dict[str, Any]) -> str:
        raise NotImplementedError


class TextLine(_Line):
    """key=value; what holds more than plain characters stands in double quotes, escaped as in JSON."""

    def line(self, values: dict[str, Any]) -> str:
        texts = [(name, str(value)) for name, value in values.items()]
        return " ".join(
            [f"{name}={text if _is_bare(text) else json.dumps(text)}" for name, text in texts]
        )


class JSONLine(_Line):
    def line(self, values: dict[str, Any]) -> str:
        return json.dumps(values, default=str)


def without_secrets(line: str) -> str:
    # Looking for plain text first costs a tenth of looking for the patterns.
    return _SECRETS.sub("***", line) if any(sign in line for sign in _SIGNS) else line
