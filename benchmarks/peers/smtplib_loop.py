"""Ready-made messages over one connection, and nothing else: `python -m benchmarks.peers.smtplib_loop PORT FILE`."""

from __future__ import annotations

import json
import smtplib
import sys
import time
from pathlib import Path


def main() -> None:
    port, path = sys.argv[1:]
    letters = [
        (letter["recipient"], letter["content"].encode())
        for letter in json.loads(Path(path).read_text())
    ]
    with smtplib.SMTP("127.0.0.1", int(port)) as server:
        server.ehlo()
        began = time.monotonic()
        for recipient, content in letters:
            server.sendmail("crmapp@localhost", recipient, content)
        seconds = time.monotonic() - began
    print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
