"""`flask doctor`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

import click
from flask import Flask, current_app
from pymongo.errors import PyMongoError

from crmapp.database import Db, current
from crmapp.doctor import ledger, mongodb, parts, settings
from crmapp.doctor.findings import Finding, Level, fault, ok
from crmapp.live.blueprint import live

COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAULT: "red"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for a program.")
def doctor(as_json: bool) -> None:
    """Check the installation from end to end, and say what to do about each fault. Exits with 1 where there is one.
    It sends no mail and leaves everything as it was."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    findings = []
    for finding in examine(app, current()):
        findings.append(finding)
        if not as_json:
            _say(finding)
    counts = {level: sum(f.level == level for f in findings) for level in Level}
    if as_json:
        told = {"ok": not counts[Level.FAULT], "checks": [f._asdict() for f in findings]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo(
            f"{_told(counts[Level.FAULT], 'fault')}, {_told(counts[Level.WARN], 'warning')}."
        )
    live.hub.stop()
    if counts[Level.FAULT]:
        raise SystemExit(1)


def _told(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _say(finding: Finding) -> None:
    level = click.style(f"{finding.level:<5}", fg=COLOURS[finding.level])
    advice = f". {finding.advice}" if finding.advice else ""
    click.echo(f"{level}  {finding.check}: {finding.text}{advice}")


def examine(app: Flask, db: Db) -> Iterator[Finding]:
    """Every check in turn, as it is done."""
    told = app.config["SETTINGS"]
    embedded_mail = app.jinja_env.globals["local_mail"] is True
    yield ok("settings", "can be used")
    yield from settings.check(told, embedded_mail)
    yield parts.redis(live.redis)
    yield parts.mail_server(app.extensions["mail"], embedded_mail)
    yield parts.disk(told.data_dir)
    first = mongodb.answers(db)
    yield first
    if first.level is Level.FAULT:
        return
    checks: dict[str, Callable[[Db], Iterable[Finding]]] = {
        "MongoDB": mongodb.check,
        "workers": lambda db: [parts.workers(db)],
        "superadmin": lambda db: [parts.superadmin(db)],
        "ledger": ledger.check,
    }
    for name, check in checks.items():
        yield from _guarded(name, check, db)


def _guarded(name: str, check: Callable[[Db], Iterable[Finding]], db: Db) -> Iterator[Finding]:
    try:
        yield from check(db)
    except PyMongoError as error:
        yield fault(
            name,
            f"could not be looked at ({str(error)[:200]})",
            "See whether MongoDB is well, and give the user of MONGODB_URI the role readWrite on the database.",
        )
