"""`flask queue …`, as a person at a terminal types it."""

import pytest

from crmapp.mailqueue import control
from tests.mailqueue.desk import events, failed, pending


@pytest.fixture
def flask(app):
    """Runs a command in this process; returns its exit status and what it says."""

    def run(*arguments):
        result = app.test_cli_runner().invoke(args=["queue", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result.exit_code, result.output

    return run


def test_status(flask, db):
    control.seen(db, "host:1", 0)
    pending(db)
    failed(db)
    code, output = flask("status")
    assert code == 0
    assert output.endswith("pending 1\nprocessing 0\nfailed 1\n")
    assert output.startswith("Sending, oldest waiting 0 s.")


def test_pause_and_resume(flask, db):
    control.seen(db, "host:1", 0)
    code, output = flask("pause")
    assert (code, output) == (0, "Paused by the command line 0 s ago.\n")
    assert control.paused(db)
    assert "paused already" in flask("pause")[1]
    assert flask("resume") == (0, "Nothing to send.\n")
    assert control.paused(db) is None
    assert "was not paused" in flask("resume")[1]


def test_retry_and_drop_what_is_named(flask, db):
    full = failed(db, reason="mailbox_full")
    late = failed(db, "joe@example.com", reason="timeout", sessionId="activation_1_a")
    named = failed(db, reason="fault")
    rest = failed(db)
    assert flask("retry", "--reason", "mailbox_full") == (0, "Requeued 1.\n")
    filter = ("--session", "activation_1_a", "--address", "Joe@example.com")
    assert flask("retry", *filter) == (0, "Requeued 1.\n")
    assert flask("drop", "--id", str(named["_id"])) == (0, "Dropped 1.\n")
    assert set(db.pending_emails.distinct("_id")) == {full["_id"], late["_id"]}
    assert events(db, "dropped")[0]["by"]["name"] == "the command line"
    again = flask("retry", "--id", str(named["_id"]), "--id", str(full["_id"]))[1]
    assert again == "Requeued 0, skipped 2: 1 already queued, 1 already dropped.\n"
    assert flask("retry", "--all") == (0, "Requeued 1.\n")
    assert db.pending_emails.find_one({"_id": rest["_id"]})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Say which failed mail is meant"),
        (("--reason", "nonsense"), "reason must be one of"),
        (("--id", "nonsense"), "'nonsense' is not the id of a mail"),
        (("--all", "--reason", "timeout"), "Use --id, or --all, or some of"),
        (("--all", "--id", "6b036fbb8ad747caa53e4da8"), "Use --id, or --all, or some of"),
    ],
)
def test_what_is_not_clear_is_refused(flask, db, options, words):
    failed(db)
    for command in ("retry", "drop"):
        code, output = flask(command, *options)
        assert code == 2
        assert words in output
    assert db.failed_emails.count_documents({"dropped": False}) == 1
