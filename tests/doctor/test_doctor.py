"""`flask doctor`: a sound installation, and each fault with what to do about it."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from bson import ObjectId
from flask_mail import Mail
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import Settings
from crmapp import database
from crmapp.accounts.users import Role
from crmapp.doctor import ledger, mongodb, parts, settings
from crmapp.doctor.commands import doctor
from crmapp.jobs import jobs
from crmapp.mailqueue import control
from tests.support.scripted_smtp import ScriptedServer, Stage, say
from tests.support.smtp import free_port
from tests.support.standalone import Standalone

STRONG = "c0ffee7a91d25e4b38f6a07d1be94c52"
SETTINGS = Settings.from_environ(
    {"PUBLIC_URL": "https://crm.firma.de", "TRUSTED_PROXIES": "1", "SECRET_KEY": STRONG}
)


@pytest.fixture
def sound(app, db, smtp, new_person, monkeypatch):
    """Everything that can be well here is."""
    new_person("boss@example.com", Role.SUPERADMIN)
    control.seen(db, "host:1", 0)
    told = replace(app.config["SETTINGS"], secret_key=STRONG, mail_default_sender="crm@firma.de")
    monkeypatch.setitem(app.config, "SETTINGS", told)
    monkeypatch.setattr(app.extensions["mail"], "port", smtp.port)
    # The embedded one is older than what is recommended.
    monkeypatch.setattr(mongodb, "RECOMMENDED_VERSION", mongodb.OLDEST_VERSION)


@pytest.fixture
def run(app):
    def run(*arguments):
        return app.test_cli_runner().invoke(doctor, arguments)

    # The command ends the hub, which other tests on this application go on with.
    hub = app.extensions["live"].hub
    stop, hub.stop = hub.stop, lambda: None
    yield run
    hub.stop = stop


def lines(output):
    """What each check said, by its name."""
    told = [line.split(None, 1) for line in output.splitlines()[:-1]]
    return {rest.partition(":")[0]: level for level, rest in told}


def test_a_sound_installation(sound, run):
    result = run()
    assert result.exit_code == 0, result.output
    assert set(lines(result.output).values()) == {"ok"}, result.output
    assert result.output.splitlines()[-1] == "0 faults, 0 warnings."
    assert set(lines(result.output)) == {
        *("settings", "SECRET_KEY", "PUBLIC_URL", "MAIL_DEFAULT_SENDER", "Redis", "mail server"),
        *("disk here", "MongoDB", "MongoDB version", "replica set", "majority writes", "indexes"),
        *("clock", "MongoDB's disk", "workers", "superadmin", "jobs", "ledger"),
    }


def test_no_mail_is_sent_and_nothing_is_written(db, sound, smtp, run):
    before = {name: db[name].count_documents({}) for name in db.list_collection_names()}
    run()
    after = {name: db[name].count_documents({}) for name in db.list_collection_names()}
    assert {name: count for name, count in after.items() if count} == {
        name: count for name, count in before.items() if count
    }
    assert smtp.taken == {}


def test_faults_end_with_status_1_and_say_what_to_do(db, sound, run):
    db.workers.delete_many({})
    db.users.delete_many({"role": "superadmin"})
    result = run()
    assert result.exit_code == 1
    found = lines(result.output)
    assert {name for name, level in found.items() if level == "fault"} == {"workers", "superadmin"}
    assert "flask create-admin" in result.output
    assert "2 faults" in result.output


def test_for_programs(db, sound, run):
    db.workers.delete_many({})
    result = run("--json")
    told = json.loads(result.output)
    assert (result.exit_code, told["ok"]) == (1, False)
    (fault,) = [check for check in told["checks"] if check["level"] == "fault"]
    assert fault["check"] == "workers"
    assert "RUN_WORKERS=1" in fault["advice"]


@pytest.mark.parametrize(
    ("changes", "name", "level"),
    [
        ({}, "SECRET_KEY", "ok"),
        ({"secret_key": "sixteen letters!"}, "SECRET_KEY", "warn"),
        ({"secret_key": 32 * "ab"}, "SECRET_KEY", "warn"),
        ({"secret_key": "please-change-me-1234567890-please"}, "SECRET_KEY", "warn"),
        ({}, "PUBLIC_URL", "ok"),
        ({"public_url": "http://crm.firma.de"}, "PUBLIC_URL", "warn"),
        ({"public_url": "http://127.0.0.1:8000"}, "PUBLIC_URL", "ok"),
        ({"public_url": "http://localhost:8000"}, "PUBLIC_URL", "ok"),
        ({"trusted_proxies": 0}, "PUBLIC_URL", "warn"),
        ({}, "MAIL_DEFAULT_SENDER", "warn"),
        ({"mail_default_sender": "CRM <crm@firma.de>"}, "MAIL_DEFAULT_SENDER", "ok"),
    ],
)
def test_settings(changes, name, level):
    found = {f.check: f for f in settings.check(replace(SETTINGS, **changes), embedded_mail=False)}
    assert found[name].level == level
    assert bool(found[name].advice) == (level != "ok")


def test_mongodb_away():
    db = database.connect(f"mongodb://127.0.0.1:{free_port()}/crmapp?serverSelectionTimeoutMS=200")
    found = mongodb.answers(db)
    db.client.close()
    assert found.level == "fault"
    assert "MONGODB_URI" in found.advice


def test_a_standalone(tmp_path):
    with Standalone(tmp_path) as uri:
        db = database.connect(uri)
        found = {finding.check: finding for finding in mongodb.check(db)}
        db.client.close()
    assert found["replica set"].level == "fault"
    assert "--replSet" in found["replica set"].advice


@pytest.mark.parametrize(
    ("version", "level"),
    [("5.0.31", "fault"), ("6.0.5", "warn"), ("7.0.14", "ok"), ("8.0.4", "ok")],
)
def test_the_version_of_mongodb(version, level):
    assert mongodb._version(version).level == level


def test_a_missing_and_an_outdated_index(db):
    db.leads.drop_index("name_1__id_1")
    db.users.drop_index("email_1")
    db.users.create_index("email")
    (found,) = [finding for finding in mongodb.check(db) if finding.check == "indexes"]
    assert found.level == "fault"
    assert found.text == "2 missing or outdated: leads.name_1__id_1, users.email_1"
    database.create_indexes(db)
    assert mongodb._indexes(db).level == "ok"


@pytest.mark.parametrize(
    ("seconds", "level", "word"), [(0, "ok", "as"), (5, "warn", "ahead"), (-90, "fault", "behind")]
)
def test_the_clock_of_this_machine(db, monkeypatch, seconds, level, word):
    real = mongodb.now
    monkeypatch.setattr(mongodb, "now", lambda: real() + timedelta(seconds=seconds))
    found = mongodb._clock(db)
    assert found.level == level
    assert word in found.text


def test_a_full_disk(db, monkeypatch):
    monkeypatch.setattr(mongodb, "NEARLY_FULL", 0.0)
    monkeypatch.setattr(parts, "NEARLY_FULL", 0.0)
    assert mongodb._disk(db).level == "fault"
    assert parts.disk(Path("/nowhere/yet")).level == "warn"
    monkeypatch.setattr(parts, "LEAST_FREE_BYTES", 1024**6)
    assert parts.disk(Path("/nowhere/yet")).level == "fault"


def test_a_file_system_without_a_size():
    assert parts.disk(Path("/proc/nowhere")).level == "ok"


def test_redis_away():
    found = parts.redis(Redis(port=free_port(), retry=Retry(NoBackoff(), 0)))
    assert found.level == "fault"
    assert "REDIS_URL" in found.advice


def test_redis_that_may_not_be_listened_to(parts_redis):
    found = parts.redis(parts_redis)
    assert found.level == "fault"


@pytest.fixture
def parts_redis(app):
    """A user of this Redis who may do all but hear what is published."""
    admin = app.extensions["live"].redis
    admin.execute_command(
        *("ACL", "SETUSER", "deaf", "on", ">deaf", "~*", "resetchannels", "+@all")
    )
    told = admin.connection_pool.connection_kwargs
    where = {name: told[name] for name in ("host", "port") if name in told}
    if "path" in told:
        where = {"unix_socket_path": told["path"]}
    yield Redis(username="deaf", password="deaf", **where)
    admin.execute_command("ACL", "DELUSER", "deaf")


@pytest.fixture
def new_mail(app):
    """What the sender is told of a mail server."""

    def new(port, **told):
        mail = Mail(app)
        for name, value in {"server": "127.0.0.1", "port": port, **told}.items():
            setattr(mail.state, name, value)
        return mail.state

    kept = app.extensions["mail"]
    yield new
    app.extensions["mail"] = kept


def test_a_mail_server_that_lets_us_in(new_mail, smtp):
    assert parts.mail_server(new_mail(smtp.port), embedded=False).level == "ok"
    assert parts.mail_server(new_mail(smtp.port), embedded=True).level == "warn"


def test_a_mail_server_that_is_away(new_mail):
    found = parts.mail_server(new_mail(free_port()), embedded=False)
    assert found.level == "fault"
    assert "does not answer" in found.text


@pytest.fixture
def choosy():
    """A mail server that wants a sign-in."""
    server = ScriptedServer(sign_in=True).start()
    yield server
    server.stop()


def test_a_mail_server_that_refuses_the_password(new_mail, choosy):
    mail = new_mail(choosy.port, username="crm", password="Sesame")
    choosy.rule(Stage.AUTH, say("535 5.7.8 No"))
    found = parts.mail_server(mail, embedded=False)
    assert found.level == "fault"
    assert "535 5.7.8 No" in found.text
    assert "MAIL_PASSWORD" in found.advice
    assert "Sesame" not in str(found)
    choosy.behave()
    found = parts.mail_server(mail, embedded=False)
    assert (found.level, "in clear" in found.text) == ("warn", True)
    assert choosy.count == 0


@pytest.mark.parametrize(
    ("status", "counts", "level"),
    [
        ("completed", {"total": 4, "activated": 4}, "ok"),
        ("completed", {"total": 4, "activated": 3}, "fault"),
        ("running", {"total": 4, "activated": 3}, "ok"),
        ("running", {"total": 4, "activated": 5}, "fault"),
        ("cancelled", {"total": 4, "activated": 1}, "ok"),
        ("failed", {"total": 4, "failed": -1}, "fault"),
    ],
)
def test_the_sums_of_jobs(db, status, counts, level):
    job = jobs.new_job("bulk_1", "bulk", ObjectId(), "ann", {}, 0)
    job |= {"status": status, "phase": "over"}
    job["counts"] |= counts
    db.jobs.insert_one(job)
    found, _ = ledger.check(db)
    assert found.level == level


def test_a_ledger_that_does_not_add_up(db, monkeypatch):
    monkeypatch.setattr("crmapp.mailqueue.doctor.RECHECK_SECONDS", 0)
    db.users.insert_one(
        {"email": "lost@example.com", "activationId": "activation_1_a", "status": "invited"}
    )
    _, found = ledger.check(db)
    assert found.level == "fault"
    assert "lost@example.com" in found.text
    assert "flask queue doctor --mend" in found.advice
