"""Flask-Mail's connection with what it lacks: time limits, verified certificates, the server's own words, and
pipelining (RFC 2920)."""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from contextlib import suppress
from functools import cache

from flask_mail import Connection, Mail

from crmapp.mailqueue.letter import Envelope
from crmapp.mailqueue.replies import Broken, Ended, Refusal, Stage, decode

LONGEST_CONNECT_SECONDS = 10.0
LONGEST_REPLY_SECONDS = 30.0
# A connection that was used just now need not be asked whether it is still there.
IDLE_SECONDS = 2.0
LONGEST_REPLY = 64 * 1024
LONGEST_WORDS = 4096
GOODBYE_SECONDS = 1.0
# 251: taken, to be forwarded (RFC 5321, 4.2.3)
WANTED = {
    Stage.RSET: (250,),
    Stage.MAIL: (250, 251),
    Stage.RCPT: (250, 251),
    Stage.DATA: (354,),
    Stage.CONTENT: (250, 251),
}
GOING = 421
SIGN_IN_FIRST = (530, 534, 535, 538)  # RFC 4954, 6

Outcome = str | Exception | None


class MailConnection(Connection):
    """One connection to the mail server, kept for many mails. Connecting and every reply take at most a third of
    `lease_seconds`, for which the mails are ours."""

    host: smtplib.SMTP | None

    def __init__(self, mail: Mail, lease_seconds: float) -> None:
        super().__init__(mail)
        self.host = None
        self._connect_seconds = min(LONGEST_CONNECT_SECONDS, lease_seconds / 3)
        self._reply_seconds = min(LONGEST_REPLY_SECONDS, lease_seconds / 3)
        self._used_at = 0.0
        self._unread = b""
        self._begun = False  # an envelope was left in the middle
        self._ahead = False  # the envelope of the next mail was sent with a content
        self._proven = False  # a mail was taken over this connection
        self._pipelining = False

    def configure_host(self) -> smtplib.SMTP:
        """Connect and sign in. Raises OSError, which is what smtplib's own errors are too."""
        mail, seconds = self.mail, self._connect_seconds
        host: smtplib.SMTP
        if mail.use_ssl:
            host = smtplib.SMTP_SSL(mail.server, mail.port, timeout=seconds, context=_verifying())
        else:
            host = smtplib.SMTP(mail.server, mail.port, timeout=seconds)
        try:
            host.ehlo_or_helo_if_needed()
            if mail.use_tls:
                host.starttls(context=_verifying())
            if mail.username and mail.password:
                host.login(mail.username, mail.password)
            host.ehlo_or_helo_if_needed()
        except BaseException:
            host.close()
            raise
        return host

    def open(self) -> None:
        """Be connected, with what was connected before where that still answers. Raises OSError."""
        idle = time.monotonic() - self._used_at > IDLE_SECONDS
        if self.host is not None and idle and not self._answers():
            self.close()
        if self.host is None:
            self.host = self.configure_host()
            self._unread = b""
            self._begun = self._ahead = self._proven = False
            self._pipelining = self.host.has_extn("pipelining")
        self._used_at = time.monotonic()

    def _answers(self) -> bool:
        self._begun = False
        return not self._write(b"RSET\r\n", Stage.RSET) and isinstance(
            self._answer(Stage.RSET), str
        )

    def hand_over(self, in_hand: Envelope, following: Envelope | None) -> Outcome:
        """Send the content of `in_hand`, whose envelope was taken before; where the server allows that, with the
        envelope of `following` in the same packet (RFC 2920, 3.1), for which `open_envelope` has to come next.

        Returns what became of it: what the server said where it was taken, Refusal or Broken where it was not,
        smtplib.SMTPAuthenticationError where the server wants a sign-in.
        """
        self._begun = False
        packet = in_hand.content
        if following and self._pipelining:
            packet += self._packet(following)
            self._ahead = True
        outcome = self._write(packet, Stage.CONTENT) or self._answer(Stage.CONTENT)
        self._proven = self._proven or isinstance(outcome, str)
        return outcome

    def open_envelope(self, envelope: Envelope) -> Outcome:
        """Say from whom and to whom the next mail is. Returns as `hand_over` does, and None where the connection ended
        before the server had looked at it: the mail is as untried as it was."""
        if self.host is None:
            return None
        self._used_at = time.monotonic()
        outcome: Outcome = None
        if self._pipelining and not self._ahead:
            outcome = self._write(self._packet(envelope), Stage.MAIL)
        self._ahead = False
        outcome = outcome or self._go_through(self._steps(envelope))
        self._begun = True
        if isinstance(outcome, Refusal) and outcome.stage is Stage.RSET:
            self.hang_up()
            return None
        # A server may end a connection after so many mails.
        ended = isinstance(outcome, Ended) or (self.host is None and _is_421_at_mail(outcome))
        return None if ended and self._proven else outcome

    def _packet(self, envelope: Envelope) -> bytes:
        return b"".join(command for _, command in self._steps(envelope))

    def _steps(self, envelope: Envelope) -> list[tuple[Stage, bytes]]:
        steps = [
            (Stage.MAIL, f"MAIL FROM:<{envelope.sender}>\r\n".encode("ascii")),
            (Stage.RCPT, f"RCPT TO:<{envelope.recipient}>\r\n".encode("ascii")),
            (Stage.DATA, b"DATA\r\n"),
        ]
        return [(Stage.RSET, b"RSET\r\n"), *steps] if self._begun else steps

    def _go_through(self, steps: list[tuple[Stage, bytes]]) -> Outcome:
        refused: Exception | None = None
        said: Outcome = None
        for stage, command in steps:
            broken = None if self._pipelining else self._write(command, stage)
            said = broken or self._answer(stage)
            if isinstance(said, Exception):
                refused = refused or said
                if self.host is None or not self._pipelining:
                    return refused
            elif stage is Stage.DATA and refused:
                # The server waits for a content, although nobody is to get it.
                self._write(b".\r\n", Stage.CONTENT)
                self._answer(Stage.CONTENT)
        return refused or said

    def _answer(self, stage: Stage) -> Outcome:
        try:
            code, words = self._read_reply()
        except OSError as error:
            return self._broken(stage, error)
        if code == GOING:
            self.hang_up()
        if code in SIGN_IN_FIRST:
            return smtplib.SMTPAuthenticationError(code, words[4:])
        return words if code in WANTED[stage] else Refusal(stage, code, words)

    def _read_reply(self) -> tuple[int, str]:
        """One reply, of however many lines (RFC 5321, 4.2.1)."""
        until = time.monotonic() + self._reply_seconds
        lines: list[bytes] = []
        while not lines or lines[-1][3:4] == b"-":
            lines.append(self._read_line(until))
            if sum(map(len, lines)) > LONGEST_REPLY:
                raise OSError("the reply has no end")
        code = lines[0][:3]
        if not code.isdigit():
            raise OSError(f"not a reply: {decode(lines[0][:200])!r}")
        said = b" ".join([code, *(line[4:].strip() for line in lines)])
        return int(code), decode(said)[:LONGEST_WORDS]

    def _read_line(self, until: float) -> bytes:
        assert self.host is not None
        connection: socket.socket = self.host.sock  # type: ignore[assignment]
        while b"\n" not in self._unread:
            if len(self._unread) > LONGEST_REPLY:
                raise OSError("the reply has no end")
            connection.settimeout(max(0.001, until - time.monotonic()))
            received = connection.recv(8192)
            if not received:
                raise ConnectionResetError("the server closed the connection")
            self._unread += received
        line, _, self._unread = self._unread.partition(b"\n")
        return line.rstrip(b"\r")

    def _write(self, packet: bytes, stage: Stage) -> Broken | None:
        if not packet:
            return None
        assert self.host is not None
        connection: socket.socket = self.host.sock  # type: ignore[assignment]
        try:
            connection.settimeout(self._reply_seconds)
            connection.sendall(packet)
        except OSError as error:
            return self._broken(stage, error)
        return None

    def _broken(self, stage: Stage, error: OSError) -> Broken:
        self.hang_up()
        doubt = " The server may have taken the mail." if stage is Stage.CONTENT else ""
        text = f"The connection broke at {stage}: {str(error) or type(error).__name__}.{doubt}"
        at_start = stage in (Stage.RSET, Stage.MAIL) and isinstance(error, ConnectionError)
        return Ended(text) if at_start else Broken(text)

    def hang_up(self) -> None:
        """Leave without a word: a content that was not ended is not delivered (RFC 5321, 4.1.1.4)."""
        host, self.host = self.host, None
        if host is not None:
            host.close()

    def close(self) -> None:
        """Say goodbye. What the server answers changes nothing: what it took, it took."""
        if self.host is not None and self._write(b"QUIT\r\n", Stage.MAIL) is None:
            self._reply_seconds, kept = GOODBYE_SECONDS, self._reply_seconds
            with suppress(OSError):
                self._read_reply()
            self._reply_seconds = kept
        self.hang_up()


def _is_421_at_mail(outcome: Outcome) -> bool:
    if not isinstance(outcome, Refusal):
        return False
    return outcome.code == GOING and outcome.stage in (Stage.RSET, Stage.MAIL)


@cache
def _verifying() -> ssl.SSLContext:
    """Reading the trusted certificates takes tens of milliseconds, in which a stream would stand still."""
    return ssl.create_default_context()
