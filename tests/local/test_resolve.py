"""Starting, finding and stopping the embedded servers."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from pymongo import MongoClient

from config import Settings
from crmapp import local
from tests.local.processes import kill, pid_of, server_pids

HOLDER = """
import sys
from config import Settings
from crmapp import local
settings = local.resolve(Settings.from_environ({"DATA_DIR": sys.argv[1]}))
print(settings.mongodb_uri, settings.redis_url, settings.mail_port, settings.secret_key, flush=True)
sys.stdin.readline()
local.release()
"""


@contextmanager
def holder(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the embedded servers until it gets a line."""
    command = [sys.executable, "-c", HOLDER, str(data_dir)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def database_of(settings: Settings) -> MongoClient:
    return MongoClient(settings.mongodb_uri, serverSelectionTimeoutMS=5000)


def test_an_empty_directory_gets_servers_that_work_and_are_found_again(settings: Settings) -> None:
    resolved = local.resolve(settings)

    with database_of(resolved) as client, client.start_session() as session:
        with session.start_transaction():
            client.crmapp.leads.insert_one({"name": "Zoë"}, session=session)
        assert client.get_default_database().leads.count_documents({}) == 1
    with redis.Redis.from_url(resolved.redis_url) as client:
        assert client.ping()
    with socket.create_connection((resolved.mail_server, resolved.mail_port)) as connection:
        assert connection.recv(3) == b"220"
    assert local.resolve(settings) == resolved
    assert len(server_pids(settings.data_dir)) == 3


def test_they_listen_on_loopback_only(settings: Settings) -> None:
    resolved = local.resolve(settings)

    ports = {urlsplit(resolved.mongodb_uri).port, urlsplit(resolved.redis_url).port}
    ports.add(resolved.mail_port)
    for table, loopback in (("tcp", "0100007F"), ("tcp6", "")):
        rows = [row.split() for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        listening = [row[1].split(":") for row in rows if row[3] == "0A"]
        ours = [host for host, port in listening if int(port, 16) in ports]
        assert ours == ([loopback] * 3 if loopback else [])


def test_nothing_is_started_or_written_where_everything_is_configured(
    mail_settings: Settings,
) -> None:
    configured = replace(mail_settings, mail_server="mail.example.com")

    assert local.resolve(configured) == configured
    assert not configured.data_dir.exists()


def test_processes_that_start_at_once_share_one_set(data_dir: Path) -> None:
    with holder(data_dir) as one, holder(data_dir) as two:
        answers = {one.stdout.readline(), two.stdout.readline()}

        assert len(answers) == 1
        assert answers != {""}
        assert len(server_pids(data_dir)) == 3


def test_the_last_one_out_stops_the_servers(settings: Settings) -> None:
    with holder(settings.data_dir) as other:
        other.stdout.readline()
        resolved = local.resolve(settings)
        local.release()

        with database_of(resolved) as client:
            assert client.admin.command("ping")["ok"]
        other.communicate("go\n")
    assert server_pids(settings.data_dir) == []


def test_a_killed_user_leaves_servers_that_the_next_one_finds_and_stops(
    settings: Settings,
) -> None:
    with holder(settings.data_dir) as other:
        uri = other.stdout.readline().split()[0]
        pids = server_pids(settings.data_dir)
        other.kill()
        other.wait()

    assert local.resolve(settings).mongodb_uri == uri
    assert server_pids(settings.data_dir) == pids
    local.release()
    assert server_pids(settings.data_dir) == []


def test_a_killed_mongod_comes_back_at_its_address_with_its_data(settings: Settings) -> None:
    resolved = local.resolve(settings)
    with database_of(resolved) as client:
        client.crmapp.leads.insert_one({"name": "Zoë"})
        kill(pid_of("mongodb", settings.data_dir))

        assert local.resolve(settings) == resolved
        assert client.crmapp.leads.find_one()["name"] == "Zoë"


def test_a_running_mongod_without_state_file_is_taken_over(settings: Settings) -> None:
    resolved = local.resolve(settings)
    pid = pid_of("mongodb", settings.data_dir)
    (settings.data_dir / "mongodb.json").unlink()

    assert local.resolve(settings) == resolved
    assert pid_of("mongodb", settings.data_dir) == pid


def test_a_state_file_whose_pid_belongs_to_another_process_is_not_believed(
    mail_settings: Settings,
) -> None:
    resolved = local.resolve(mail_settings)
    state = json.loads((mail_settings.data_dir / "mail.json").read_text())
    kill(state["pid"])
    with subprocess.Popen(["sleep", "60"]) as stranger:
        state["pid"] = stranger.pid
        (mail_settings.data_dir / "mail.json").write_text(json.dumps(state))

        assert local.resolve(mail_settings).mail_port == resolved.mail_port
        assert pid_of("mail", mail_settings.data_dir) != stranger.pid
        local.release()
        assert stranger.poll() is None
        stranger.kill()


def test_a_port_that_somebody_took_is_given_up_and_the_data_is_kept(settings: Settings) -> None:
    resolved = local.resolve(settings)
    with database_of(resolved) as client:
        client.crmapp.leads.insert_one({"name": "Zoë"})
    local.release()
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", urlsplit(resolved.mongodb_uri).port))

        moved = local.resolve(settings)

    assert moved.mongodb_uri != resolved.mongodb_uri
    with database_of(moved) as client:
        assert client.crmapp.leads.find_one()["name"] == "Zoë"
        client.crmapp.leads.insert_one({"name": "Jürgen"})


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(mail_settings: Settings) -> None:
    settings = replace(mail_settings, secret_key=None)
    secret = local.resolve(settings).secret_key
    local.release()

    assert len(secret) >= 32
    assert local.resolve(settings).secret_key == secret
    mode = (settings.data_dir / "secret_key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_mongod_that_cannot_start_is_explained_and_nothing_is_left_running(
    settings: Settings,
) -> None:
    (settings.data_dir / "mongodb").mkdir(parents=True)
    (settings.data_dir / "mongodb" / "WiredTiger").write_text("not a database")
    (settings.data_dir / "mongodb" / "WiredTiger.turtle").write_text("not a database")

    with pytest.raises(local.LocalError, match=r"mongodb\.log .* MONGODB_URI"):
        local.resolve(settings)
    assert server_pids(settings.data_dir) == []
