"""A real SMTP server that keeps what it took, and can be told to be slow or away."""

from __future__ import annotations

import asyncio
import email
import socket
from collections import defaultdict
from email import policy
from email.message import EmailMessage
from functools import cached_property

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mail:
    """A mail that was taken; read when somebody asks, because reading is slow."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    @cached_property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.content, policy=policy.default)  # type: ignore[return-value]

    def __getitem__(self, header: str) -> str:
        return str(self.message[header])

    def text(self) -> str:
        return self.message.get_body(("plain",)).get_content()  # type: ignore[union-attr]


class MailServer:
    """`taken` holds, by address, every mail that was answered with 250."""

    def __init__(self) -> None:
        self.port = free_port()
        self.delay = 0.0
        self.taken: defaultdict[str, list[Mail]] = defaultdict(list)
        self.refused: dict[str, str] = {}
        self._controller: Controller | None = None

    def start(self) -> MailServer:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return self

    def stop(self) -> None:
        if self._controller:
            self._controller.stop()
            self._controller = None

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.delay:
            await asyncio.sleep(self.delay)
        for address in envelope.rcpt_tos:
            self.taken[address].append(Mail(envelope.original_content or b""))
        return "250 2.0.0 Taken"

    @property
    def count(self) -> int:
        return sum(map(len, list(self.taken.values())))
