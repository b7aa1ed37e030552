"""Commands for the e-mail queue: `flask queue status|pause|resume|retry|drop`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from bson import ObjectId

from crmapp.database import Document, db
from crmapp.mailqueue import control, failed, health, rows, status
from crmapp.mailqueue.announce import announce
from crmapp.mailqueue.filters import State, parse, to_query
from crmapp.requests import BadInput

# Who it was, in timelines and on the page.
BY = {"id": None, "name": "the command line"}


@click.group("queue")
def queue_commands() -> None:
    """Look at the e-mail queue, and steer it."""


@queue_commands.command("status")
def show_status() -> None:
    """How many mails there are, and whether they leave."""
    _show_health()
    counted = status.current(db)
    for name in ("pending", "processing", "failed"):
        click.echo(f"{name} {counted[name]:,}")


@queue_commands.command("pause")
def pause() -> None:
    """Let no mail leave until `resume`."""
    if not control.pause(db, BY):
        click.echo("The queue was paused already.")
    announce(db)
    _show_health()


@queue_commands.command("resume")
def resume() -> None:
    """Let mail leave again."""
    if not control.resume(db):
        click.echo("The queue was not paused.")
    announce(db)
    _show_health()


def _show_health() -> None:
    click.echo(health.plain(health.current(db)["text"]) + ".")


def _narrowed(command: Callable[..., None]) -> Callable[..., None]:
    """Which failed mails a command is about: `ids`, or what `filter` finds."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="Every failed mail."),
        click.option("--id", "ids", multiple=True, help="This mail; may be given several times."),
        click.option("--address", help="Mail of the person who has this address."),
        click.option("--session", "sessionId", help="Mail of this activation."),
        click.option("--reason", help=f"One of {', '.join(rows.LABELS)}."),
    ):
        command = option(command)
    return command


@queue_commands.command("retry")
@_narrowed
def retry(**options: Any) -> None:
    """Try failed mail again."""
    click.echo(failed.retry(db, _wanted(**options), BY).told_as("Requeued") + ".")


@queue_commands.command("drop")
@_narrowed
def drop(**options: Any) -> None:
    """Give failed mail up; it is kept, marked."""
    click.echo(failed.drop(db, _wanted(**options), BY).told_as("Dropped") + ".")


def _wanted(
    everything: bool, ids: tuple[str, ...], **narrowed: str | None
) -> list[ObjectId] | Document:
    filter = {name: value for name, value in narrowed.items() if value}
    if ((everything or ids) and filter) or (everything and ids):
        raise click.UsageError("Use --id, or --all, or some of --reason, --session and --address.")
    if not (everything or ids or filter):
        raise click.UsageError(
            "Say which failed mail is meant, with --reason, --session, --address or --id; --all means every one."
        )
    for mail_id in ids:
        if not ObjectId.is_valid(mail_id):
            raise click.UsageError(f"{mail_id!r} is not the id of a mail.")
    if ids:
        return [ObjectId(mail_id) for mail_id in dict.fromkeys(ids)]
    try:
        return to_query(db, State.FAILED, parse(filter))
    except BadInput as error:
        raise click.UsageError(str(error)) from None
