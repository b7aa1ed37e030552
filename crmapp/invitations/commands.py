"""`flask queue doctor`: it stands here because it may have to write invitations."""

from __future__ import annotations

import click

from crmapp.database import db
from crmapp.invitations.resend import queue_missing
from crmapp.mailqueue import doctor
from crmapp.mailqueue.commands import queue_commands


@queue_commands.command("doctor")
@click.option("--mend", is_flag=True, help="Put right what disagrees.")
def doctor_command(mend: bool) -> None:
    """Recount everything and say what disagrees. Exits with 1 where something does and was not mended."""
    findings = doctor.examine(db, queue_missing)
    if not findings:
        click.echo("Everything adds up.")
        return
    if not mend:
        for finding in findings:
            click.echo(finding.text)
        click.echo(f"{len(findings):,} found; --mend puts it right.")
        raise SystemExit(1)
    unmended = 0
    for finding, done in doctor.mend(db, findings):
        unmended += done is None
        click.echo(f"{finding.text} Mended: {done}." if done else f"{finding.text} Not mended.")
    if unmended:
        raise SystemExit(1)
