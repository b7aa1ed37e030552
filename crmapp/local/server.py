"""A server process that outlives the process that started it and is found again by the next."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from crmapp.local.files import write_whole

START_SECONDS = 60
STOP_SECONDS = 30


class LocalError(Exception):
    """An embedded server cannot be used. Its text says why and what to do."""


class Server(ABC):
    """One embedded server of a data directory.

    Anybody may call `find`; the rest is for the one process that holds the start lock.
    """

    name: ClassVar[str]
    """Also names the state file DATA_DIR/<name>.json and the log DATA_DIR/<name>.log."""
    setting: ClassVar[str]
    """The setting that puts a server of one's own in the place of this one."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.log = data_dir / f"{self.name}.log"
        self.state = data_dir / f"{self.name}.json"
        self.pid = 0
        self.port = 0
        self.child: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def identity(self) -> list[str]:
        """Neighbouring arguments of `command` that no other process has."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments, with `identity` and `--port` among them.

        Raises LocalError where the program is not installed.
        """

    def is_ready(self) -> bool:
        """Take a step towards the first use; return whether a server that accepts can be used."""
        return True

    def find(self) -> int | None:
        """Return the port of the running server, or None if it is not known to run."""
        self.pid, self.port = self._read_state()
        if self._is_alive() and _accepts(self.port):
            return self.port
        return None

    def start(self) -> None:
        """Start the server, or take over one that nobody wrote down. `wait` has to follow."""
        if not self._take_over():
            self._spawn()

    def wait(self) -> int:
        """Wait until the started server can be used and return its port.

        Raises LocalError if it ends or is not ready in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while not (_accepts(self.port) and self.is_ready()):
            if not self._is_alive():
                self._spawn_again()
            if time.monotonic() > deadline:
                raise self.error(f"was not ready within {START_SECONDS} seconds")
            time.sleep(0.01)
        self._write_state()
        return self.port

    def stop(self) -> None:
        """Ask the server, if it runs, to end. `wait_stopped` has to follow."""
        self.pid, self.port = self._read_state()
        if self._is_alive() or self._take_over():
            _kill(self.pid, signal.SIGTERM)
        else:
            self.pid = 0

    def wait_stopped(self) -> None:
        """Wait until the server has ended; one that does not end in time is killed."""
        if not _has_ended(self.pid, STOP_SECONDS):
            _kill(self.pid, signal.SIGKILL)
            _has_ended(self.pid, STOP_SECONDS)

    def error(self, what: str) -> LocalError:
        """Return a LocalError that says `what` happened and what the log's last complaint is."""
        return LocalError(
            f"The embedded {self.name} server {what}. The log {self.log} ends with: "
            f"{_last_complaint(self.log)} Put that right, or set {self.setting} to use your own."
        )

    def _read_state(self) -> tuple[int, int]:
        try:
            state = json.loads(self.state.read_text())
            return int(state["pid"]), int(state["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0, 0

    def _write_state(self) -> None:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        state = {"pid": self.pid, "port": self.port, "startedAt": started}
        write_whole(self.state, json.dumps(state))

    def _is_alive(self) -> bool:
        if self.child:
            return self.child.poll() is None
        # By its arguments, because the pid alone may belong to another process by now. One that is
        # ending, or is a zombie, has no arguments.
        return self._is_ours(_arguments(self.pid))

    def _is_ours(self, arguments: list[str]) -> bool:
        first, second = self.identity
        return "--port" in arguments and (first, second) in pairwise(arguments)

    def _take_over(self) -> bool:
        """Look through all processes for the server; its starter may have died at once."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and self._is_ours(arguments := _arguments(int(entry.name))):
                self.pid = int(entry.name)
                self.port = int(arguments[arguments.index("--port") + 1])
                return True
        return False

    def _spawn(self) -> None:
        if not _arguments(self.pid):
            _has_ended(self.pid, STOP_SECONDS)  # a killed one still holds its port for a moment
        if not _is_free(self.port):
            self.port = _free_port()
        command = self.command()
        with suppress(FileNotFoundError):
            self.log.replace(f"{self.log}.1")
        with self.log.open("wb") as log:
            # A session of its own: what is sent to the starter's group or terminal spares it.
            self.child = subprocess.Popen(
                command,
                cwd=self.data_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self.child.pid

    def _spawn_again(self) -> None:
        """Start anew if the end had a reason from outside: it was stopping, or lost its port."""
        if self.child and _is_free(self.port):
            raise self.error(f"ended at once ({_how(self.child.wait())})")
        self._spawn()


def executable(binary: Path | None, data_dir: Path, missing: str) -> str:
    """Return a path at which `binary` can be run, in DATA_DIR/bin if it may not be where it is.

    Raises LocalError with the text `missing` if there is no such file.
    """
    if binary is None or not binary.is_file():
        raise LocalError(missing)
    if not os.access(binary, os.X_OK):
        try:
            binary.chmod(0o755)
        except OSError:  # a read-only installation, or somebody else's
            return str(_copy(binary, data_dir / "bin" / binary.name))
    return str(binary)


def _copy(binary: Path, target: Path) -> Path:
    if not target.exists() or target.stat().st_size != binary.stat().st_size:
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(binary, target)
    target.chmod(0o755)
    return target


def _arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="surrogateescape").split("\0")[:-1]
    except OSError:
        return []


def _kill(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _has_ended(pid: int, seconds: float) -> bool:
    """Wait until the process has ended and given back its ports and files."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return True
    try:
        return bool(select.select([fd], [], [], seconds)[0])
    finally:
        os.close(fd)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return port > 0


def _free_port() -> int:
    # Below the ports that the kernel gives to outgoing connections: those come and go, and this
    # one has to be free again after the next start.
    return next(port for port in random.sample(range(20000, 32000), 12000) if _is_free(port))


def _last_complaint(log: Path) -> str:
    with suppress(OSError):
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if '"s":"E"' in line or '"s":"F"' in line]
        for line in reversed(errors or lines):
            return line[:500]
    return "(nothing)"


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
