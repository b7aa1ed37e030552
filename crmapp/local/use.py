"""Which processes use the embedded servers of a data directory, and who starts and stops them.

Each user holds a shared lock on DATA_DIR/in_use while it lives; the kernel drops it also when the
user is killed. DATA_DIR/start is held by the one that starts servers.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path

from config import Settings
from crmapp.local.files import lock, locked, open_lock, try_lock, write_whole
from crmapp.local.mongodb import MongoDB
from crmapp.local.parts import MailCatcher, Valkey
from crmapp.local.server import LocalError, Server

_held: dict[Path, tuple[int, int]] = {}
"""For each data directory in use: the process that took the lock, and the lock's descriptor."""


def resolve(settings: Settings) -> Settings:
    """Return `settings` with the address of an embedded server for each part that has none.

    Servers that are not running are started. A missing secret key is made up once and kept. Every
    process that uses the settings calls this, and `release` when it ends. Where everything is
    configured, nothing is started and nothing is written.

    Raises LocalError if a server cannot be started.
    """
    servers = _wanted(settings)
    if not servers and settings.secret_key:
        return settings
    if servers and sys.platform != "linux":
        names = ", ".join(server.setting for server in servers)
        raise LocalError(f"The embedded servers run on Linux only. Set {names} to use your own.")
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if servers:
        _hold(settings.data_dir)
        try:
            _ensure_running(settings.data_dir, servers)
        except BaseException:
            release()
            raise
    return _filled_in(settings, {server.name: server.port for server in servers})


def release() -> None:
    """Say that this process uses no embedded server any more; the last one out stops them."""
    while _held:
        data_dir, (pid, fd) = _held.popitem()
        try:
            # A lock inherited over a fork is the parent's to give back.
            if pid == os.getpid() and try_lock(fd, fcntl.LOCK_EX):
                _stop(data_dir)
        finally:
            os.close(fd)


def _wanted(settings: Settings) -> list[Server]:
    servers = _all_servers(settings.data_dir)
    addresses = [settings.mongodb_uri, settings.redis_url, settings.mail_server]
    return [server for server, known in zip(servers, addresses, strict=True) if known is None]


def _all_servers(data_dir: Path) -> list[Server]:
    return [MongoDB(data_dir), Valkey(data_dir), MailCatcher(data_dir)]


def _hold(data_dir: Path) -> None:
    pid, fd = _held.get(data_dir, (0, -1))
    if pid == os.getpid():
        return
    if pid:
        os.close(fd)
    fd = open_lock(data_dir / "in_use")
    lock(fd, fcntl.LOCK_SH)
    _held[data_dir] = (os.getpid(), fd)


def _ensure_running(data_dir: Path, servers: list[Server]) -> None:
    if all(server.find() for server in servers):
        return
    with locked(data_dir / "start"):
        missing = [server for server in servers if not server.find()]
        for server in missing:
            server.start()
        for server in missing:
            server.wait()


def _stop(data_dir: Path) -> None:
    servers = _all_servers(data_dir)
    for server in servers:
        server.stop()
    for server in servers:
        server.wait_stopped()


def _filled_in(settings: Settings, ports: dict[str, int]) -> Settings:
    if "mongodb" in ports:
        uri = f"mongodb://127.0.0.1:{ports['mongodb']}/crmapp?directConnection=true"
        settings = replace(settings, mongodb_uri=uri)
    if "valkey" in ports:
        settings = replace(settings, redis_url=f"redis://127.0.0.1:{ports['valkey']}/0")
    if "mail" in ports:
        settings = replace(
            settings,
            mail_server="127.0.0.1",
            mail_port=ports["mail"],
            # What a real server asks for, the catcher does not have.
            mail_use_tls=False,
            mail_use_ssl=False,
            mail_username=None,
            mail_password=None,
        )
    if settings.secret_key is None:
        settings = replace(settings, secret_key=_kept_secret(settings.data_dir))
    return settings


def _kept_secret(data_dir: Path) -> str:
    path = data_dir / "secret_key"
    if not path.exists():
        with locked(data_dir / "start"):
            if not path.exists():  # nobody made it up while this one waited
                write_whole(path, secrets.token_hex(32))
    return path.read_text().strip()
