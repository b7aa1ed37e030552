"""What an answer of the mail server means for the mail, and for the queue."""

import smtplib
import ssl

import pytest

from crmapp.mailqueue.replies import (
    Broken,
    Refusal,
    Stage,
    asks_for_less,
    decode,
    failure_of,
    outage_of,
    words_of,
)


def refusal(stage, words):
    return Refusal(stage, int(words[:3]), words)


@pytest.mark.parametrize(
    ("stage", "words", "final", "reason"),
    [
        (Stage.RCPT, "450 4.2.1 Greylisted", False, "temporarily_refused_too_often"),
        (Stage.DATA, "451 Local error", False, "temporarily_refused_too_often"),
        (Stage.CONTENT, "452 4.2.2 Out of storage", False, "temporarily_refused_too_often"),
        (Stage.RCPT, "550 No such user", True, "mailbox_unknown"),
        (Stage.RCPT, "551 User not local", True, "mailbox_unknown"),
        (Stage.RCPT, "553 Mailbox name not allowed", True, "mailbox_unknown"),
        (Stage.RCPT, "550 5.1.1 No such user", True, "mailbox_unknown"),
        (Stage.RCPT, "550 5.2.1 Mailbox disabled", True, "mailbox_unknown"),
        (Stage.RCPT, "550 5.1.2 No such domain", True, "domain_unknown"),
        (Stage.RCPT, "554 5.4.4 Unable to route", True, "domain_unknown"),
        (Stage.RCPT, "552 Full", True, "mailbox_full"),
        (Stage.RCPT, "550 5.2.2 Over quota", True, "mailbox_full"),
        (Stage.RCPT, "554 Go away", True, "refused_by_policy"),
        (Stage.RCPT, "550 5.7.1 Relaying denied", True, "refused_by_policy"),
        (Stage.RCPT, "550 5.1.8 Bad sender", True, "rejected_sender"),
        (Stage.CONTENT, "550 Spam", True, "rejected_content"),
        (Stage.CONTENT, "554 5.7.1 Spam", True, "rejected_content"),
        (Stage.CONTENT, "552 5.3.4 Too big", True, "rejected_content"),
        (Stage.CONTENT, "552 Full", True, "mailbox_full"),
        (Stage.CONTENT, "550 5.1.1 No such user after all", True, "mailbox_unknown"),
        # The sender is the same for every mail: one mistake is not to fail them all at once.
        (Stage.MAIL, "550 Not you", False, "rejected_sender"),
        (Stage.MAIL, "450 Later", False, "rejected_sender"),
    ],
)
def test_a_refusal_says_what_was_wrong(stage, words, final, reason):
    assert failure_of(refusal(stage, words)) == (final, reason, words)


@pytest.mark.parametrize(
    ("error", "final", "reason"),
    [
        (Broken("The connection broke at DATA: timed out."), False, "timeout"),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "ordinal not in range"), True, "invalid_address"),
        (ValueError("'a b' cannot be written into an envelope"), True, "invalid_address"),
        (RuntimeError("no template"), False, "fault"),
    ],
)
def test_what_may_pass_and_what_will_not(error, final, reason):
    failure = failure_of(error)
    assert (failure.final, failure.reason) == (final, reason)
    assert failure.reply


@pytest.mark.parametrize(
    ("words", "less"),
    [
        ("421 4.3.2 Shutting down", True),
        ("450 4.7.1 You are sending too fast", True),
        ("451 Too many messages, slow down", True),
        ("452 4.5.3 Too many recipients", True),
        ("450 4.2.0 Rate limit exceeded", True),
        ("450 4.2.1 Greylisted, separate deliveries later", False),
        ("450 4.2.1 Mailbox busy", False),
        ("550 5.7.1 You send too much spam", False),
    ],
)
def test_a_server_that_asks_for_less_is_told_from_one_that_refuses_a_mail(words, less):
    assert asks_for_less(refusal(Stage.RCPT, words)) is less


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (smtplib.SMTPAuthenticationError(535, b"no"), "The mail server refuses our sign-in"),
        (ssl.SSLCertVerificationError(1, "x"), "The mail server's certificate is not trusted"),
        (smtplib.SMTPConnectError(421, b"busy"), "The mail server turns us away"),
        (smtplib.SMTPNotSupportedError("no STARTTLS"), "The mail server turns us away"),
        (ConnectionRefusedError(111, "refused"), "The mail server does not answer"),
        (TimeoutError("timed out"), "The mail server does not answer"),
    ],
)
def test_why_the_server_cannot_be_used_at_all(error, sentence):
    assert outage_of(error) == sentence
    assert words_of(error)


def test_every_reply_is_a_text():
    assert decode("550 Empfänger unbekannt".encode()) == "550 Empfänger unbekannt"
    assert decode("550 Empfänger unbekannt".encode("latin-1")) == "550 Empfänger unbekannt"
    assert words_of(smtplib.SMTPAuthenticationError(535, "Schlüssel".encode("latin-1"))) == (
        "535 Schlüssel"
    )
