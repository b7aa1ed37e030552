"""An SMTP server that does what a test tells it: it refuses, hangs, breaks off and answers nonsense, at any stage.

aiosmtpd cannot misbehave, so this speaks the protocol by itself. It takes commands that come in one packet (RFC 2920)
and, where it does not announce that, refuses them as Postfix does.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections import defaultdict, deque
from enum import StrEnum
from itertools import count
from typing import NamedTuple

import trustme

from tests.support.smtp import Mail, free_port

HOST = "127.0.0.1"


class Stage(StrEnum):
    """Where a server may do something else than usual."""

    CONNECT = "connect"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    IN_CONTENT = "in the content"
    END = "final dot"
    QUIT = "QUIT"


class Act(NamedTuple):
    """What to say, and whether to break off or to say nothing more for ever."""

    reply: bytes = b""
    hang_up: bool = False
    hang: bool = False
    crash: bool = False


HANG = Act(hang=True)
HANG_UP = Act(hang_up=True)
# As when the machine restarts: the client gets a reset, and may lose answers that were on their way.
CRASH = Act(crash=True)


def say(words: str, encoding: str = "ascii") -> Act:
    return Act(words.encode(encoding) + b"\r\n")


def bye(words: str) -> Act:
    """Say it and break off."""
    return say(words)._replace(hang_up=True)


class Rule:
    """`act` at `stage`: for mail to `address` only, where one is given, and `times` times, where that is given."""

    def __init__(
        self, stage: Stage, act: Act, address: str | None = None, times: int | None = None
    ) -> None:
        self.stage = stage
        self.act = act
        self.address = address
        self.times = times

    def applies(self, stage: Stage, address: str | None) -> bool:
        return self.stage is stage and self.times != 0 and self.address in (None, address)

    def use(self) -> Act:
        if self.times is not None:
            self.times -= 1
        return self.act


class Taken(Mail):
    """A mail that was answered with 250: when (of the monotonic clock), and over which connection."""

    def __init__(self, content: bytes, connection: int) -> None:
        super().__init__(content)
        self.at = time.monotonic()
        self.connection = connection


class ScriptedServer:
    """`taken` holds, by address, every mail that was answered with 250; `arrived` the same in the order of arrival;
    `offered` also those that were not. `most_open` is the largest number of connections at a time."""

    def __init__(
        self,
        pipelining: bool = True,
        certificate: trustme.LeafCert | None = None,
        sign_in: bool = False,
    ) -> None:
        self.port = free_port()
        self.pipelining = pipelining
        self.certificate = certificate
        self.sign_in = sign_in
        self.rules: list[Rule] = []
        self.delay = 0.0  # before the answer to a content
        self.most_per_second: int | None = None
        self.too_fast = say("450 4.7.1 You are sending too fast")
        self.taken: defaultdict[str, list[Taken]] = defaultdict(list)
        self.arrived: list[tuple[str, Taken]] = []
        self.offered: defaultdict[str, list[Mail]] = defaultdict(list)
        self.open: set[Talk] = set()
        self.most_open = 0
        self.leaving = False
        self._recent: deque[float] = deque()
        self._numbers = count(1)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: asyncio.Server | None = None

    @property
    def count(self) -> int:
        return len(self.arrived)

    def rule(
        self, stage: Stage, act: Act, address: str | None = None, times: int | None = None
    ) -> None:
        """Do `act` at `stage`. Of rules that apply, the first one counts."""
        self.rules.append(Rule(stage, act, address, times))

    def behave(self) -> None:
        """Forget every rule."""
        self.rules = []

    def start(self) -> ScriptedServer:
        self.leaving = False
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._talk, HOST, self.port, backlog=200)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = Talk(self, reader, writer, next(self._numbers))
        self.open.add(talk)
        self.most_open = max(self.most_open, len(self.open))
        try:
            await talk.go()
        except (OSError, EOFError):
            pass
        finally:
            self.open.discard(talk)
            writer.close()

    def stop(self, goodbye: bool = True) -> None:
        """Be away. With `goodbye` as one that is shut down: a content that is on its way is taken, every other client
        is told 421. Without, as one whose machine has crashed."""
        if self._loop:
            asyncio.run_coroutine_threadsafe(self._leave(goodbye), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    async def _leave(self, goodbye: bool) -> None:
        assert self._listener
        self._listener.close()
        self.leaving = True
        for talk in list(self.open):
            if not goodbye:
                talk.break_off()
            elif talk.idle:
                talk.say_goodbye()
        give_up_at = time.monotonic() + 3
        while self.open and time.monotonic() < give_up_at:
            await asyncio.sleep(0.01)
        for talk in list(self.open):
            talk.break_off()
        await asyncio.sleep(0)

    def act(self, stage: Stage, address: str | None) -> Act | None:
        """What the rules say, if anything."""
        rule = next((rule for rule in self.rules if rule.applies(stage, address)), None)
        if rule:
            return rule.use()
        return self.too_fast if stage is Stage.RCPT and self._is_too_fast() else None

    def _is_too_fast(self) -> bool:
        if self.most_per_second is None:
            return False
        now = time.monotonic()
        while self._recent and self._recent[0] < now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.most_per_second:
            return True
        self._recent.append(now)
        return False

    def tells_mails_apart(self) -> bool:
        """Whether a rule wants to know at MAIL whom the mail is for."""
        return self.pipelining and any(
            rule.stage is Stage.MAIL and rule.address for rule in self.rules
        )


class Talk:
    """One connection."""

    def __init__(
        self,
        server: ScriptedServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        number: int,
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.number = number
        self.idle = False
        self.secure = False
        self.signed_in = False
        self.mail_begun = False
        self.unread = bytearray()
        self.ahead: deque[bytes] = deque()
        self.address: str | None = None
        self.recipients: list[str] = []

    async def go(self) -> None:
        await self.answer(Stage.CONNECT, "220 scripted ESMTP")
        while True:
            self.idle = True
            line = await self.line()
            self.idle = False
            if self.server.leaving:
                await self.do(bye("421 4.3.2 Shutting down"))
            elif not self.server.pipelining and self.unread:
                await self.do(bye("503 5.5.0 Commands in one packet without PIPELINING"))
            elif await self.command(line[:4].upper(), line):
                return

    async def command(self, verb: bytes, line: bytes) -> bool:
        """Says whether it was the last one."""
        if verb in (b"EHLO", b"HELO"):
            await self.answer(Stage.EHLO, self._greeting())
        elif verb == b"STAR":
            await self._start_tls()
        elif verb == b"AUTH":
            self.signed_in = (await self.answer(Stage.AUTH, "235 2.7.0 Welcome"))[:1] == b"2"
        elif verb == b"MAIL":
            await self._mail()
        elif verb == b"RCPT":
            await self._rcpt(line)
        elif verb == b"DATA":
            await self._data()
        elif verb == b"QUIT":
            await self.answer(Stage.QUIT, "221 2.0.0 Bye")
            return True
        else:
            self.recipients = []
            await self.do(say("250 2.0.0 OK"))
        return False

    def _greeting(self) -> str:
        lines = ["scripted", "8BITMIME"]
        lines += ["PIPELINING"] if self.server.pipelining else []
        encrypts = self.server.certificate is not None
        lines += ["STARTTLS"] if encrypts and not self.secure else []
        lines += ["AUTH PLAIN"] if self.server.sign_in and self.secure == encrypts else []
        return "\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])

    async def _start_tls(self) -> None:
        said = await self.answer(Stage.STARTTLS, "220 2.0.0 Ready")
        if said[:3] == b"220":
            assert self.server.certificate
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.server.certificate.configure_cert(context)
            await self.writer.start_tls(context)
            self.secure = True

    async def _mail(self) -> None:
        self.address, self.recipients, self.mail_begun = None, [], False
        if self.server.tells_mails_apart():
            self.ahead.append(await self._next_line())
            self.address = _address(self.ahead[0])
        if self.server.sign_in and not self.signed_in:
            await self.do(say("530 5.7.0 Sign in first"))
        else:
            said = await self.answer(Stage.MAIL, "250 2.1.0 OK")
            self.mail_begun = said[:1] == b"2"

    async def _rcpt(self, line: bytes) -> None:
        self.address = _address(line)
        usual = "250 2.1.5 OK" if self.mail_begun else "503 5.5.1 MAIL first"
        said = await self.answer(Stage.RCPT, usual)
        if said[:1] == b"2":
            self.recipients.append(self.address)

    async def _data(self) -> None:
        usual = "354 Go on" if self.recipients else "554 5.5.1 No valid recipients"
        said = await self.answer(Stage.DATA, usual)
        if said[:3] == b"354":
            await self._content()

    async def _content(self) -> None:
        content = b""
        while (line := await self.line()) != b".\r\n":
            content += line[1:] if line[:1] == b"." else line
            act = self.server.act(Stage.IN_CONTENT, self.address)
            if act:
                await self.do(act)
        if self.server.delay:
            await asyncio.sleep(self.server.delay)
        if self.address and content:
            self.server.offered[self.address].append(Mail(content))
        usual = "250 2.0.0 Taken" if self.recipients else "554 5.5.1 No valid recipients"
        act = self.server.act(Stage.END, self.address) or say(usual)
        if act.reply[:1] == b"2":
            for address in self.recipients:
                mail = Taken(content, self.number)
                self.server.taken[address].append(mail)
                self.server.arrived.append((address, mail))
        self.recipients = []
        await self.do(act)

    async def answer(self, stage: Stage, usual: str) -> bytes:
        act = self.server.act(stage, self.address) or say(usual)
        await self.do(act)
        return act.reply

    async def do(self, act: Act) -> None:
        self.writer.write(act.reply)
        if act.hang_up:
            await self.hang_up()
        elif act.hang:
            await self._read_to_the_end()
        elif act.crash:
            self.break_off()
            raise EOFError

    async def hang_up(self) -> None:
        """What was said before is to arrive, so what the client still says is read first (or it would get a reset)."""
        await self.writer.drain()
        if self.writer.can_write_eof():
            self.writer.write_eof()
            await self._read_to_the_end()
        self.writer.close()
        raise EOFError

    async def _read_to_the_end(self) -> None:
        while await self.reader.read(65536):
            pass
        raise EOFError

    def say_goodbye(self) -> None:
        self.writer.write(b"421 4.3.2 Shutting down\r\n")
        self.writer.close()

    def break_off(self) -> None:
        self.writer.transport.abort()

    async def line(self) -> bytes:
        return self.ahead.popleft() if self.ahead else await self._next_line()

    async def _next_line(self) -> bytes:
        while (end := self.unread.find(b"\n")) < 0:
            received = await self.reader.read(65536)
            if not received:
                raise EOFError
            self.unread += received
        line = bytes(self.unread[: end + 1])
        del self.unread[: end + 1]
        return line


def _address(line: bytes) -> str:
    return line.partition(b"<")[2].partition(b">")[0].decode()
