"""Flask-Mail's connection with what it lacks: time limits, verified certificates, and the server's own words."""

from __future__ import annotations

import smtplib
import ssl
import time
from contextlib import suppress
from functools import cache

from flask_mail import Connection, Mail, Message, sanitize_address

CONNECT_TIMEOUT_SECONDS = 10
REPLY_TIMEOUT_SECONDS = 30
# A connection that was used just now need not be asked whether it is still there.
IDLE_SECONDS = 2
TAKEN = (250, 251)  # 251: taken, to be forwarded (RFC 5321, 4.2.3)
SIGN_IN_FIRST = (530, 534, 535, 538)  # RFC 4954, 6


class SenderRefused(smtplib.SMTPResponseException):
    """The refusal came at MAIL FROM: it concerns the sender, and so every mail."""


class MailConnection(Connection):
    """One connection to the mail server, kept for many mails."""

    def __init__(self, mail: Mail) -> None:
        super().__init__(mail)
        self.host = None
        self._used_at = 0.0

    def configure_host(self) -> smtplib.SMTP:
        """Connect and sign in. Raises OSError, which is what smtplib's own errors are too."""
        mail = self.mail
        host: smtplib.SMTP
        if mail.use_ssl:
            host = smtplib.SMTP_SSL(
                mail.server, mail.port, timeout=CONNECT_TIMEOUT_SECONDS, context=_verifying()
            )
        else:
            host = smtplib.SMTP(mail.server, mail.port, timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            if mail.use_tls:
                host.starttls(context=_verifying())
            if mail.username and mail.password:
                host.login(mail.username, mail.password)
            host.ehlo_or_helo_if_needed()
        except BaseException:
            host.close()
            raise
        if host.sock is not None:
            host.sock.settimeout(REPLY_TIMEOUT_SECONDS)
        return host

    def open(self) -> None:
        """Be connected, with what was connected before where that still answers."""
        idle = time.monotonic() - self._used_at > IDLE_SECONDS
        if self.host is not None and idle and not self._answers():
            self.close()
        if self.host is None:
            self.host = self.configure_host()
        self._used_at = time.monotonic()

    def _answers(self) -> bool:
        assert self.host is not None
        try:
            return self.host.rset()[0] == 250
        except OSError:
            return False

    def deliver(self, message: Message) -> str:
        """Hand one message over. Returns what the server said when it took it.

        Raises smtplib.SMTPResponseException with the server's refusal (SMTPAuthenticationError where it wants a
        sign-in, SenderRefused), or OSError where the connection broke; then it is closed.
        """
        host = self.host
        assert host is not None
        try:
            content = message.as_bytes()
            recipient = sanitize_address(next(iter(message.send_to)))
            _expect_sender(host.mail(sanitize_address(str(message.sender))))
            _expect(host.rcpt(recipient))
            return _expect(host.data(content))
        except smtplib.SMTPResponseException:
            self._after_refusal()
            raise
        except OSError:
            self.close()
            raise

    def _after_refusal(self) -> None:
        """Ready for the next mail, or closed."""
        try:
            if self.host is not None:
                self.host.rset()
        except OSError:
            self.close()

    def close(self) -> None:
        """Say goodbye. What the server answers changes nothing: what it took, it took."""
        host, self.host = self.host, None
        if host is not None:
            with suppress(OSError):
                host.quit()
            host.close()


@cache
def _verifying() -> ssl.SSLContext:
    """Reading the trusted certificates takes tens of milliseconds, in which a stream would stand still."""
    return ssl.create_default_context()


def _expect_sender(answer: tuple[int, bytes]) -> None:
    try:
        _expect(answer)
    except smtplib.SMTPAuthenticationError:
        raise
    except smtplib.SMTPResponseException as error:
        raise SenderRefused(error.smtp_code, error.smtp_error) from None


def _expect(answer: tuple[int, bytes]) -> str:
    code, text = answer[0], f"{answer[0]} {answer[1].decode('utf-8', 'replace')}"
    if code in SIGN_IN_FIRST:
        raise smtplib.SMTPAuthenticationError(code, text)
    if code not in TAKEN:
        raise smtplib.SMTPResponseException(code, text)
    return text
