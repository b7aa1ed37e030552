"""What an answer of the mail server, or the lack of one, means for the mail and for the queue."""

from __future__ import annotations

import re
import smtplib
import ssl
from enum import StrEnum
from typing import NamedTuple

from crmapp.logs import without_secrets


class Stage(StrEnum):
    """How far a mail had come."""

    RSET = "RSET"
    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"
    CONTENT = "the end of the content"


class Refusal(Exception):
    """The server said no. `words` is its reply with the code."""

    def __init__(self, stage: Stage, code: int, words: str) -> None:
        super().__init__(words)
        self.stage = stage
        self.code = code


class Broken(Exception):
    """The connection broke, or nothing was said in time. Its text says at which stage."""


class Ended(Broken):
    """The server closed the connection where a mail begins."""


class Reason(StrEnum):
    """Why a mail failed."""

    MAILBOX_UNKNOWN = "mailbox_unknown"  # nobody of that name there
    MAILBOX_FULL = "mailbox_full"
    DOMAIN_UNKNOWN = "domain_unknown"  # no mail server for that domain
    REJECTED_CONTENT = "rejected_content"  # the message itself was refused
    REJECTED_SENDER = "rejected_sender"  # the refusal came at MAIL FROM, or was about the sender
    REFUSED_BY_POLICY = "refused_by_policy"  # the recipient's server does not want mail from here
    TEMPORARILY_REFUSED_TOO_OFTEN = (
        "temporarily_refused_too_often"  # 4xx until the attempts ran out
    )
    TIMEOUT = "timeout"  # the connection hung or broke until the attempts ran out
    INVALID_ADDRESS = "invalid_address"  # could not even be written into the envelope
    NO_LONGER_NEEDED = "no_longer_needed"  # the user was removed, or has a password already
    FAULT = "fault"  # ours: the letter could not be made


class Failure(NamedTuple):
    """`final` ones are not tried again. `reply` is what the server said, or what broke."""

    final: bool
    reason: Reason
    reply: str


# RFC 3463; a code that is not here says nothing that the stage does not say.
ENHANCED = {
    "1.2": Reason.DOMAIN_UNKNOWN,
    "1.7": Reason.REJECTED_SENDER,
    "1.8": Reason.REJECTED_SENDER,
    "1": Reason.MAILBOX_UNKNOWN,
    "2.1": Reason.MAILBOX_UNKNOWN,
    "2.2": Reason.MAILBOX_FULL,
    "3.4": Reason.REJECTED_CONTENT,
    "4.4": Reason.DOMAIN_UNKNOWN,
    "6": Reason.REJECTED_CONTENT,
}
# RFC 5321, 4.2.3
AT_RCPT = {552: Reason.MAILBOX_FULL, 554: Reason.REFUSED_BY_POLICY}
AT_CONTENT = {552: Reason.MAILBOX_FULL}

_ENHANCED = re.compile(r"\d{3}[ -][245]\.(\d{1,3})\.(\d{1,3})\b")
_RATE = re.compile(r"too (fast|many|much)|\brate\b|slow down|throttl|4\.7\.28", re.IGNORECASE)
_SERVICE_GOES = 421


def failure_of(error: Exception) -> Failure:
    """Sort out what became of an attempt. 4xx may pass, 5xx will not (RFC 5321, 4.2.1)."""
    if isinstance(error, Refusal):
        # The sender is the same for every mail, so a mistake in it is no reason to give them all up at once.
        final = error.code >= 500 and error.stage is not Stage.MAIL
        return Failure(final, _reason_of(error), str(error))
    if isinstance(error, Broken):
        return Failure(False, Reason.TIMEOUT, str(error))
    if isinstance(error, ValueError):
        return Failure(True, Reason.INVALID_ADDRESS, str(error))
    return Failure(False, Reason.FAULT, str(error) or type(error).__name__)


def _reason_of(refusal: Refusal) -> Reason:
    if refusal.stage is Stage.MAIL:
        return Reason.REJECTED_SENDER
    if refusal.code < 500:
        return Reason.TEMPORARILY_REFUSED_TOO_OFTEN
    found = _ENHANCED.match(str(refusal))
    if found:
        subject, detail = found.groups()
        reason = ENHANCED.get(f"{subject}.{detail}") or ENHANCED.get(subject)
        if reason:
            return reason
    if refusal.stage is not Stage.RCPT:
        return AT_CONTENT.get(refusal.code, Reason.REJECTED_CONTENT)
    if found and found[1] == "7":
        return Reason.REFUSED_BY_POLICY
    return AT_RCPT.get(refusal.code, Reason.MAILBOX_UNKNOWN)


def asks_for_less(error: Exception) -> bool:
    """Whether the server refuses because of how much it is sent, not because of this mail."""
    if not isinstance(error, Refusal):
        return False
    return error.code == _SERVICE_GOES or (
        400 <= error.code < 500 and bool(_RATE.search(str(error)))
    )


def outage_of(error: Exception) -> str:
    """A sentence, without its end, about why the mail server cannot be used at all."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "The mail server refuses our sign-in"
    if isinstance(error, ssl.SSLError):
        return "The mail server's certificate is not trusted"
    if isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPNotSupportedError):
        return "The mail server turns us away"
    return "The mail server does not answer"


def words_of(error: Exception) -> str:
    """What the server said, or what broke, in one line."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = decode(said) if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {text}"
    return str(error) or type(error).__name__


def decode(reply: bytes) -> str:
    """Servers speak ASCII or UTF-8 (RFC 6531); what is neither is read as Latin-1, in which everything is a text.
    Some quote the letter that they refuse: a link in it is struck out, because replies are kept and shown."""
    try:
        return without_secrets(reply.decode())
    except UnicodeDecodeError:
        return without_secrets(reply.decode("latin-1"))
