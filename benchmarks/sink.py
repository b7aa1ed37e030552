"""A mail server that takes everything and keeps nothing: `python -m benchmarks.sink [DELAY_MS]`, a helper.

With a delay every reply leaves so much later than its command came, as across a network: commands that came together
are answered together, and do not wait for each other.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time


class Sink(asyncio.Protocol):
    """As little of RFC 5321 as a client needs, and pipelining (RFC 2920)."""

    delay = 0.0
    taken = 0
    last_at = 0.0  # when the last mail's 250 left, by time.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._unread = b""
        self._in_data = False
        self._reply(b"220 sink\r\n", 0)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        replies, taken = b"", 0
        while True:
            # An empty content has no line end of its own in front of the dot.
            if self._in_data and self._unread.startswith(b".\r\n"):
                self._unread = b"\r\n" + self._unread
            end = b"\r\n.\r\n" if self._in_data else b"\r\n"
            said, found, rest = self._unread.partition(end)
            if not found:
                break
            taken += self._in_data
            self._unread = rest
            replies += self._answer(said)
        if replies:
            self._reply(replies, taken)

    def _reply(self, replies: bytes, taken: int) -> None:
        if self.delay:
            self._loop.call_later(self.delay, self._write, replies, taken)
        else:
            self._write(replies, taken)

    def _write(self, replies: bytes, taken: int) -> None:
        self._transport.write(replies)
        if taken:
            Sink.taken += taken
            Sink.last_at = time.time()

    def _answer(self, said: bytes) -> bytes:
        if self._in_data:
            self._in_data = False
            return b"250 taken\r\n"
        verb = said[:4].upper()
        self._in_data = verb == b"DATA"
        return _ANSWERS.get(verb, b"250 ok\r\n")


_ANSWERS = {
    b"EHLO": b"250-sink\r\n250 PIPELINING\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


async def main() -> None:
    Sink.delay = float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    # Whoever started it has ended when nothing can come from there any more.
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps({"taken": Sink.taken, "lastAt": Sink.last_at}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
