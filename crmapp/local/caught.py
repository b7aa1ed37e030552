"""Reading what the mail catcher kept."""

from __future__ import annotations

import email
import email.policy
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

KEY = re.compile(r"(\d{19})\.P\d+Q\d+\.local")


@dataclass(frozen=True)
class CaughtMail:
    """One mail. `date` is when it was caught (UTC), `key` names it within the mailbox."""

    key: str
    to: str
    sender: str
    subject: str
    date: datetime
    message_id: str
    text: str
    html: str

    @property
    def links(self) -> list[str]:
        """The web addresses that the HTML body links to, each once, in their order."""
        finder = _LinkFinder()
        finder.feed(self.html)
        return list(dict.fromkeys(finder.links))


def messages(data_dir: Path, limit: int = 100, q: str = "") -> list[CaughtMail]:
    """Return the newest mails first, `limit` at most, those with `q` in a recipient's address."""
    found: list[CaughtMail] = []
    for key in _keys(data_dir):
        content = _path(data_dir, key).read_bytes()
        if q.lower() in _recipients(content).lower():
            found.append(_parse(key, content))
        if len(found) >= limit:
            break
    return found


def message(data_dir: Path, key: str) -> CaughtMail:
    """Return one mail. Raises KeyError if there is none of this key."""
    if not KEY.fullmatch(key):  # it comes from an address, and becomes part of a path
        raise KeyError(key)
    try:
        return _parse(key, _path(data_dir, key).read_bytes())
    except FileNotFoundError:
        raise KeyError(key) from None


def _keys(data_dir: Path) -> Iterator[str]:
    folder = data_dir / "mail" / "new"
    names = os.listdir(folder) if folder.is_dir() else []
    return (name for name in sorted(names, reverse=True) if KEY.fullmatch(name))


def _path(data_dir: Path, key: str) -> Path:
    return data_dir / "mail" / "new" / key


def _recipients(content: bytes) -> str:
    """Whom it was sent to: the catcher's own lines at the top, so that a search parses no mail."""
    top = content[: content.find(b"\n\n")]
    lines = top.decode(errors="replace").split("\n")
    start = "Delivered-To: "
    return ", ".join(line.removeprefix(start) for line in lines if line.startswith(start))


def _parse(key: str, content: bytes) -> CaughtMail:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    nanoseconds = int(key.partition(".")[0])
    return CaughtMail(
        key=key,
        to=str(mail["To"] or _recipients(content)),
        sender=str(mail["From"] or ""),
        subject=str(mail["Subject"] or ""),
        date=datetime.fromtimestamp(nanoseconds / 10**9, UTC),
        message_id=str(mail["Message-ID"] or ""),
        text=_body(mail, "plain"),
        html=_body(mail, "html"),
    )


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except LookupError:  # a character set that Python does not know
        return bytes(part.get_payload(decode=True)).decode(errors="replace")


class _LinkFinder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") if tag == "a" else None
        if address and address.startswith(("http://", "https://")):
            self.links.append(address)
