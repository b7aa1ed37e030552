"""Real servers in an empty data directory of each test; none of them outlives its test."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import config
from crmapp import local

ADDRESSES = {"mongodb_uri": "mongodb://127.0.0.1:1", "redis_url": "redis://127.0.0.1:1"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "instance"
    yield folder
    local.release()
    for pid in server_pids(folder):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def settings(data_dir: Path) -> config.Settings:
    """Settings of a newcomer who has configured nothing."""
    return config.Settings.from_environ({"DATA_DIR": str(data_dir)})


@pytest.fixture
def mail_settings(settings: config.Settings) -> config.Settings:
    """Settings with which only the mail catcher is embedded."""
    return replace(settings, **ADDRESSES, secret_key="a secret of sixteen or more")


def server_pids(data_dir: Path) -> list[int]:
    """The processes on this machine that serve from `data_dir`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                arguments = (entry / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if "--port" in arguments and any(text.startswith(f"{data_dir}/") for text in arguments):
                found.append(int(entry.name))
    return found


def kill(pid: int) -> None:
    """SIGKILL a server and wait until it has ended."""
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{pid}/cmdline").exists() or not _arguments(pid))


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def _arguments(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
