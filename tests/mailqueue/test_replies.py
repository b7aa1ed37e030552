"""What a failure of sending means for the mail, and for the queue."""

import smtplib
import ssl

import pytest

from crmapp.mailqueue.replies import failure_of, outage_of


def refusal(code, words):
    return smtplib.SMTPResponseException(code, f"{code} {words}")


@pytest.mark.parametrize(
    ("error", "final", "reason"),
    [
        (refusal(421, "4.7.0 Too many connections"), False, "temporarily_refused_too_often"),
        (refusal(450, "4.2.1 Greylisted"), False, "temporarily_refused_too_often"),
        (refusal(452, "4.2.2 Out of storage"), False, "temporarily_refused_too_often"),
        (refusal(550, "5.1.1 No such user"), True, "mailbox_unknown"),
        (refusal(551, "User not local"), True, "mailbox_unknown"),
        (refusal(553, "Mailbox name not allowed"), True, "mailbox_unknown"),
        (refusal(552, "5.2.2 Mailbox full"), True, "mailbox_full"),
        (refusal(554, "5.7.1 Spam"), True, "rejected_content"),
        (smtplib.SMTPServerDisconnected("Connection unexpectedly closed"), False, "timeout"),
        (TimeoutError("timed out"), False, "timeout"),
        (ConnectionResetError(104, "Connection reset by peer"), False, "timeout"),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "ordinal not in range"), True, "invalid_address"),
        (smtplib.SMTPNotSupportedError("SMTPUTF8 not supported"), True, "invalid_address"),
    ],
)
def test_what_may_pass_and_what_will_not(error, final, reason):
    failure = failure_of(error)
    assert (failure.final, failure.reason) == (final, reason)
    assert failure.reply


def test_the_servers_words_are_kept():
    assert failure_of(refusal(550, "5.1.1 No such user")).reply == "550 5.1.1 No such user"
    assert failure_of(TimeoutError()).reply == "TimeoutError"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (smtplib.SMTPAuthenticationError(535, b"no"), "The mail server refuses our sign-in"),
        (ssl.SSLCertVerificationError(1, "x"), "The mail server's certificate is not trusted"),
        (ConnectionRefusedError(111, "refused"), "The mail server does not answer"),
        (TimeoutError("timed out"), "The mail server does not answer"),
    ],
)
def test_why_the_server_cannot_be_used_at_all(error, sentence):
    assert outage_of(error) == sentence
