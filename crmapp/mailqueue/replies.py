"""What a failure of sending means for the mail, and for the queue."""

from __future__ import annotations

import smtplib
import ssl
from enum import StrEnum
from typing import NamedTuple

from crmapp.mailqueue.smtp import SenderRefused


class Reason(StrEnum):
    """Why a mail failed."""

    MAILBOX_UNKNOWN = "mailbox_unknown"  # 550, 551, 553: nobody there
    MAILBOX_FULL = "mailbox_full"  # 552
    REJECTED_CONTENT = "rejected_content"  # 554, or a refusal of the message itself
    REJECTED_SENDER = "rejected_sender"  # the refusal came at MAIL FROM
    TEMPORARILY_REFUSED_TOO_OFTEN = (
        "temporarily_refused_too_often"  # 4xx until the attempts ran out
    )
    TIMEOUT = "timeout"  # the connection hung or broke until the attempts ran out
    INVALID_ADDRESS = "invalid_address"  # could not even be written into the envelope
    FAULT = "fault"  # ours: the letter could not be made


class Failure(NamedTuple):
    """`final` ones are not tried again. `reply` is what the server said, or what broke."""

    final: bool
    reason: Reason
    reply: str


def failure_of(error: Exception) -> Failure:
    """Sort out what `MailConnection.deliver` raised. 4xx may pass, 5xx will not (RFC 5321, 4.2.1)."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        reply = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        if isinstance(error, SenderRefused):
            # The sender is the same for every mail, so a mistake in it is no reason to give them all up at once.
            return Failure(False, Reason.REJECTED_SENDER, reply)
        if 500 <= error.smtp_code < 600:
            return Failure(True, _reason_of(error.smtp_code), reply)
        return Failure(False, Reason.TEMPORARILY_REFUSED_TOO_OFTEN, reply)
    if isinstance(error, UnicodeError | ValueError | smtplib.SMTPNotSupportedError):
        return Failure(True, Reason.INVALID_ADDRESS, str(error))
    reason = Reason.TIMEOUT if isinstance(error, OSError) else Reason.FAULT
    return Failure(False, reason, str(error) or type(error).__name__)


def _reason_of(code: int) -> Reason:
    if code == 552:
        return Reason.MAILBOX_FULL
    if code == 554:
        return Reason.REJECTED_CONTENT
    return Reason.MAILBOX_UNKNOWN


def outage_of(error: OSError) -> str:
    """A sentence about why the mail server cannot be used at all."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "The mail server refuses our sign-in"
    if isinstance(error, ssl.SSLError):
        return "The mail server's certificate is not trusted"
    return "The mail server does not answer"
