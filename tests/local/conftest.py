"""Real servers in an empty data directory of each test; none of them outlives its test."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import config
from crmapp import local
from tests.local.processes import server_pids

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
