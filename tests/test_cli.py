"""The commands of `flask`, as a person types them."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.local.processes import server_pids
from tests.support.ledger import assert_adds_up
from tests.support.server import ROOT
from tests.support.waiting import until

CSV = """\
First Name,Last Name,Email
Ann,Smith,ann.smith@example.com
Bob,Jones,not an address
Cid,Brown,cid@example.com
"""


def start_flask(environ, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def flask(environ):
    """Runs a command to its end; returns its status, its output and its complaints."""

    def run(*arguments, stdin="", **more):
        process = start_flask({**environ, **more}, *arguments)
        output, complaints = process.communicate(stdin, timeout=60)
        return process.returncode, output, complaints

    return run


@pytest.fixture
def data_dir(tmp_path):
    folder = tmp_path / "instance"
    yield folder
    for pid in server_pids(folder):
        os.kill(pid, signal.SIGKILL)


def test_the_shell_on_a_machine_where_nothing_runs(data_dir):
    process = start_flask({"DATA_DIR": str(data_dir)}, "shell")
    asked = 'print("leads:", leads.count_documents({}))\nprint("queue:", counts.of_queue(db)["total"])\n'
    asked += (
        "print(sorted(n for n in dir() if n in ('db', 'jobs', 'users', 'events', 'pending')))\n"
    )
    output, complaints = process.communicate(asked, timeout=60)
    assert process.returncode == 0, complaints
    assert "leads: 0" in output
    assert "queue: 0" in output
    assert "['db', 'events', 'jobs', 'pending', 'users']" in output
    assert "counts.of_queue(db)" in output.split("leads: 0")[0]
    assert server_pids(data_dir) == []


def test_init_db_makes_the_first_superadmin_once(flask, db):
    status, output, _ = flask("init-db", ADMIN_EMAIL="Sue@Example.com")
    assert status == 0
    assert "The database is ready." in output
    (sue,) = db.users.find()
    assert (sue["email"], sue["role"], sue["status"]) == ("sue@example.com", "superadmin", "active")
    password = output.split("password ")[1].split(" ")[0]
    assert password not in str(sue)
    status, output, _ = flask("init-db", ADMIN_EMAIL="eve@example.com")
    assert (status, output) == (0, "The database is ready.\n")
    assert db.users.count_documents({}) == 1


def test_init_db_says_what_is_wrong(flask):
    away = {"MONGODB_URI": "mongodb://127.0.0.1:1/x?directConnection=true"}
    status, _, complaints = flask("init-db", **away)
    assert status == 1
    assert "Error: MongoDB does not answer; check MONGODB_URI." in complaints
    assert "Traceback" not in complaints
    status, _, complaints = flask("init-db", ADMIN_EMAIL="nonsense")
    assert status == 1
    assert "ADMIN_EMAIL" in complaints
    status, _, complaints = flask("init-db", ADMIN_EMAIL="s@example.com", ADMIN_PASSWORD="short")
    assert status == 1
    assert "ADMIN_PASSWORD: Please choose at least 10 characters." in complaints


def test_create_admin(flask, db, new_person, new_visitor):
    new_person("ann@example.com")
    status, output, _ = flask("create-admin", "Ann@Example.com", "--password", "blue-whale-singing")
    assert (status, output) == (0, "ann@example.com is a superadmin.\n")
    assert [user["role"] for user in db.users.find()] == ["superadmin"]
    signed_in = new_visitor().sign_in("ann@example.com", "blue-whale-singing")
    assert signed_in.location == "/crm"
    typed = "another-whale\nanother-whale\n"
    assert flask("create-admin", "new@example.com", stdin=typed)[0] == 0
    assert new_visitor().sign_in("new@example.com", "another-whale").status_code == 302


@pytest.mark.parametrize(
    ("email", "password", "complaint"),
    [
        ("sue@example.com", "Welcome2026!", "Many people use this password"),
        ("nonsense", "blue-whale-singing", "@-sign"),
    ],
)
def test_create_admin_refuses(flask, db, email, password, complaint):
    status, _, complaints = flask("create-admin", email, "--password", password)
    assert status == 1
    assert complaint in complaints
    assert "Traceback" not in complaints
    assert db.users.count_documents({}) == 0


def test_import_leads(flask, db, tmp_path):
    file = tmp_path / "leads.csv"
    file.write_text(CSV)
    status, output, complaints = flask("import-leads", str(file))
    assert (status, output) == (0, "2 imported, 0 updated, 1 skipped\n")
    assert complaints.startswith("row 3: ")
    assert db.leads.distinct("email") == ["ann.smith@example.com", "cid@example.com"]
    assert db.leads.distinct("status") == ["new"]
    file.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    status, _, complaints = flask("import-leads", str(file))
    assert status == 1
    assert complaints.startswith("Error: ")
    assert "Traceback" not in complaints
    assert db.leads.count_documents({}) == 2


def test_the_worker_does_the_work_of_web_processes_that_have_none(
    db, smtp, environ, new_server, admin, sign_in, new_leads
):
    new_leads(60)
    program = sign_in(new_server(RUN_WORKERS="0"))
    session_id = program.activate()
    worker = start_flask({**environ, "LOG_FORMAT": "json"}, "worker")
    try:
        events = list(program.events(f"/crm/activation/stream/{session_id}"))
        assert events[0][0] == "progress"
        assert events[0][2]["activated"] == 0
        assert events[-1][0] == "complete"
        assert smtp.count == 60
        assert_adds_up(db, session_id, 60)
        worker.terminate()
        output, complaints = worker.communicate(timeout=20)
        assert (worker.returncode, output) == (0, ""), complaints
        lines = [json.loads(line) for line in complaints.splitlines()]
        assert "The worker runs." in [line["message"] for line in lines]
    finally:
        worker.kill()
        worker.wait()


def test_a_worker_that_is_told_to_stop_gives_its_jobs_back(
    db, smtp, environ, new_server, admin, sign_in, new_leads
):
    new_leads(3000)
    session_id = sign_in(new_server(RUN_WORKERS="0")).activate()
    worker = start_flask({**environ, "JOB_LEASE_SECONDS": "600"}, "worker")
    try:
        until(lambda: db.jobs.find_one({"_id": session_id})["counts"]["activated"] > 0)
        worker.terminate()
        worker.communicate(timeout=20)
        assert db.jobs.find_one({"_id": session_id})["lease"] is None
        until(lambda: db.pending_emails.count_documents({"status": "processing"}) == 0, 1)
    finally:
        worker.kill()
        worker.wait()
