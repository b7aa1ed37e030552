"""The commands of `flask`: `init-db`, `create-admin`, `import-leads`, `queue`, `doctor`, `worker`; its shell names."""

from __future__ import annotations

import atexit
import logging.config
import secrets
import signal
import threading
from itertools import cycle
from typing import Any, BinaryIO

import click
from flask import Flask, current_app
from pymongo.errors import PyMongoError

from crmapp import database, local, logs
from crmapp.accounts import api_tokens, passwords, users
from crmapp.addresses import InvalidAddress
from crmapp.audit import record as audit
from crmapp.database import StandaloneError, db
from crmapp.doctor.commands import doctor
from crmapp.invitations.commands import queue_commands
from crmapp.jobs import control, progress
from crmapp.leads.csvfile import NotACsv
from crmapp.leads.importing import import_leads
from crmapp.live.blueprint import live
from crmapp.local.samples import sample_goals, sample_journal, sample_leads
from crmapp.mailqueue import counts, queue

log = logging.getLogger(__name__)

SAMPLE_GOALS = 24
SHELL_HELP = """\
db        the MongoDB database           db.leads.find_one()
leads     its collections …              leads.count_documents({"status": "new"})
users, jobs, events, pending, failed     jobs.find_one(sort=[("createdAt", -1)])
queue     the mail queue's functions     queue.count_of_session(db, "activation_…")
counts    how many mails there are       counts.of_queue(db)
progress  a job's live numbers           progress.find(db, "activation_…")
control   pause, resume, cancel, undo    control.pause(db, who, "activation_…"); who = people.by_email(db, "…")
"""


def init_app(app: Flask) -> None:
    for command in (
        init_db,
        create_admin,
        import_leads_command,
        queue_commands,
        doctor,
        worker,
    ):
        app.cli.add_command(command)
    if click.get_current_context(silent=True):
        # This process is a `flask` command, and the servers that it started end with it.
        atexit.register(local.release)
    app.shell_context_processor(_shell_names)


def _shell_names() -> dict[str, Any]:
    click.echo(SHELL_HELP)
    return {
        "db": database.current(),
        "leads": db.leads,
        "users": db.users,
        "jobs": db.jobs,
        "events": db.events,
        "pending": db.pending_emails,
        "failed": db.failed_emails,
        "queue": queue,
        "counts": counts,
        "progress": progress,
        "control": control,
        "people": users,
    }


@click.command("init-db")
def init_db() -> None:
    """Check MongoDB, create what indexes are missing, and the first superadmin."""
    email, password = prepare_database()
    if password:
        click.echo(f"Superadmin {email}, password {password} (shown this once)")
    click.echo("The database is ready.")


def prepare_database() -> tuple[str | None, str | None]:
    """Returns the first superadmin's address and made-up password, where there was none before.

    Raises click.ClickException with a sentence for whoever started the server.
    """
    _require_database()
    database.create_indexes(db)
    if db.users.find_one({"role": users.Role.SUPERADMIN}):
        return None, None
    settings = current_app.config["SETTINGS"]
    email = settings.admin_email or "admin@example.com"
    password = settings.admin_password or secrets.token_urlsafe(12)
    _save_admin(email, password)
    audit.record(db, "flask init-db", None, email)
    return email, None if settings.admin_password else password


def _require_database() -> None:
    try:
        database.require_replica_set(db)
    except StandaloneError as error:
        raise click.ClickException(str(error)) from None
    except PyMongoError as error:
        message = f"MongoDB does not answer; check MONGODB_URI. ({str(error).partition(' (')[0]})"
        raise click.ClickException(message) from None


def _save_admin(email: str, password: str) -> None:
    try:
        passwords.check_choice(password, password, email)
        users.save_admin(db, email, email.partition("@")[0], passwords.hash_password(password))
    except passwords.PasswordRefused as error:
        raise click.ClickException(f"ADMIN_PASSWORD: {error}") from None
    except InvalidAddress as error:
        raise click.ClickException(f"ADMIN_EMAIL: {error}") from None


def add_sample_leads(count: int) -> None:
    """Make up leads, and what the administrators wrote about them, for a first look."""
    if not count or db.leads.find_one({}, {"_id": 1}):
        return
    people = list(db.users.find({"role": {"$in": users.BACK_OFFICE}}))
    leads = list(sample_leads(count))
    for person, lead in zip(cycle(people), leads[::3], strict=False):
        lead["agentId"] = person["_id"]
    db.leads.insert_many(leads)
    if people:
        db.journal_entries.insert_many(sample_journal(leads, people, 2 * count))
        db.goals.insert_many(sample_goals(people, SAMPLE_GOALS))


@click.command("create-admin")
@click.argument("email")
@click.password_option(
    help=f"At least {passwords.MIN_LENGTH} characters; asked for where it is not given."
)
def create_admin(email: str, password: str) -> None:
    """Make EMAIL a superadmin with a new password, whether or not there is such a user."""
    try:
        passwords.check_choice(password, password, email)
        user = users.save_admin(
            db, email, email.partition("@")[0], passwords.hash_password(password)
        )
    except (passwords.PasswordRefused, InvalidAddress) as error:
        raise click.ClickException(str(error)) from None
    api_tokens.revoke_all(db, user.key)
    audit.record(db, "flask create-admin", None, user.email)
    click.echo(f"{user.email} is a superadmin.")


# Who has changed leads, as their timelines tell it.
COMMAND = {"id": None, "name": "flask import-leads"}


@click.command("import-leads")
@click.argument("file", type=click.File("rb"))
def import_leads_command(file: BinaryIO) -> None:
    """Import the leads of a CSV FILE."""
    try:
        result = import_leads(db, COMMAND, file)
    except NotACsv as error:
        raise click.ClickException(str(error)) from None
    for fault in result.errors:
        click.echo(f"row {fault['row']}: {fault['reason']}", err=True)
    click.echo(f"{result.imported} imported, {result.updated} updated, {result.skipped} skipped")


@click.command("worker")
def worker() -> None:
    """Run the background loops alone, until told to stop; web processes then have RUN_WORKERS=0."""
    from crmapp.alerts.watch import Watch
    from crmapp.background import Background

    logging.config.dictConfig(logs.config(current_app.config["SETTINGS"].log_format))
    _require_database()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    background, watch = Background(app), Watch(app)
    background.start()
    watch.start()
    log.info("The worker runs.")
    stop.wait()
    watch.stop()
    background.stop(timeout=8.0)
    live.hub.stop()
