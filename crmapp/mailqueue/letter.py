"""What a template makes of a queued mail, and the bytes that go over the wire.

Flask-Mail's own `Message.as_bytes` takes 2 ms a letter, in which this makes thirty.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, parseaddr
from functools import cache

from bson import ObjectId
from flask_mail import sanitize_address

from crmapp.database import Db, Document

LONGEST_LINE = 998  # RFC 5322, 2.1.1


class Unneeded(Exception):
    """Nobody needs this mail any more. Its text says why."""


@dataclass(frozen=True, slots=True)
class Letter:
    recipient: str
    subject: str
    text: str
    html: str


# Makes the letters of queued mails of one template, each with the mail's id; an exception for one that cannot be made.
Compose = Callable[[Db, list[Document]], Iterator[tuple[ObjectId, Letter | Exception]]]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is said to the server: two addresses in ASCII, and the content as it goes over the wire, with its dots
    doubled (RFC 5321, 4.5.2) and the end."""

    sender: str
    recipient: str
    content: bytes


def write(letter: Letter, mail: Document, sender: str) -> Envelope:
    """`sender` is an address with or without a name. Raises ValueError where an address cannot be used."""
    recipient = _address(letter.recipient)
    # The claim's token: nobody who wrote a part of the text can have known it.
    boundary = f"=_{mail['token']}"
    head = (
        f"From: {_named(sender)}\r\nTo: {recipient}\r\nSubject: {_header(letter.subject)}\r\n"
        f"Date: {format_datetime(datetime.now(UTC))}\r\nMessage-ID: {mail['messageId']}\r\nMIME-Version: 1.0\r\n"
        "Auto-Submitted: auto-generated\r\n"
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    )
    parts = "".join(
        f"--{boundary}\r\n{_part(text, subtype)}"
        for text, subtype in ((letter.text, "plain"), (letter.html, "html"))
    )
    content = f"{head}{parts}--{boundary}--\r\n".encode("ascii")
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return Envelope(_sender(sender), recipient, stuffed + b".\r\n")


def _part(text: str, subtype: str) -> str:
    lines = text.splitlines()
    if text.isascii() and all(len(line) <= LONGEST_LINE for line in lines):
        encoding, body = "7bit", "\r\n".join(lines)
    else:
        encoding = "base64"
        body = encodebytes("\r\n".join(lines).encode()).decode("ascii").replace("\n", "\r\n")
    return f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n'


_PRINTABLE = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")


def _address(address: str) -> str:
    """In the form of the envelope; a domain with other letters than ASCII becomes what the DNS knows."""
    written = address if address.isascii() else sanitize_address(address)
    if not _PRINTABLE.fullmatch(written):
        raise ValueError(f"{address!r} cannot be written into an envelope")
    return written


@cache
def _sender(sender: str) -> str:
    try:
        return _address(parseaddr(sender)[1])
    except ValueError:
        # No fault of any mail: they wait until it is mended.
        raise LookupError(f"MAIL_DEFAULT_SENDER is no address: {sender!r}") from None


@cache
def _named(sender: str) -> str:
    return sanitize_address(sender)


@cache
def _header(subject: str) -> str:
    text = " ".join(subject.split())
    return text if text.isascii() else Header(text, "utf-8").encode(linesep="\r\n")
