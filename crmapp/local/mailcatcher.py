"""The mail catcher: `python crmapp/local/mailcatcher.py --maildir DIR --port PORT`.

An SMTP server on loopback that delivers nothing and keeps every mail in a Maildir.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

SIZE_LIMIT = 10 * 1024 * 1024


class Keeper:
    """Writes each mail to a Maildir before it is acknowledged."""

    def __init__(self, maildir: Path) -> None:
        self.maildir = maildir
        self.numbers = itertools.count()
        for folder in ("tmp", "new", "cur"):
            (maildir / folder).mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._keep(_as_delivered(envelope))
        return "250 2.0.0 Kept"

    def _keep(self, content: bytes) -> None:
        # Written whole, then renamed: from here on a killed catcher cannot lose it. It is not
        # synced to the disk, which would cost more than sending it.
        name = f"{time.time_ns():019}.P{os.getpid()}Q{next(self.numbers)}.local"
        path = self.maildir / "tmp" / name
        path.write_bytes(content)
        path.rename(self.maildir / "new" / name)


def _as_delivered(envelope: Envelope) -> bytes:
    """The mail as final delivery stores it (RFC 5321, 4.4), with the recipients it was sent to."""
    trace = [f"Return-Path: <{envelope.mail_from or ''}>"]
    trace += [f"Delivered-To: {address}" for address in envelope.rcpt_tos]
    head = "".join(f"{line}\n" for line in trace).encode(errors="surrogateescape")
    return head + (envelope.original_content or b"").replace(b"\r\n", b"\n")


async def serve(maildir: Path, port: int) -> None:
    """Listen on 127.0.0.1 at `port` until the process is ended."""
    keeper = Keeper(maildir)

    def connected() -> SMTP:
        return SMTP(keeper, data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True, hostname="localhost")

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep every mail in a Maildir, deliver none.")
    parser.add_argument("--maildir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.maildir, arguments.port))


if __name__ == "__main__":
    main()
