"""`python -m benchmarks.steady`: what open pages ask, 200 times a second for two minutes, beside an activation."""

from __future__ import annotations

import argparse
import json

from benchmarks import servers
from benchmarks.activation import add_leads
from benchmarks.mailservers import python_sink
from benchmarks.open_pages import ASKED, ask_steadily
from benchmarks.processes import memory_kib
from benchmarks.tables import Goal, Table, number, percentile
from config import Settings

RATE = 200
SECONDS = 120
LEADS = 100_000
SMTP_MS = 5


def run(settings: Settings, seconds: int, leads: int) -> None:
    uri, db = servers.new_database(settings, "steady")
    servers.add_admin(db)
    add_leads(db, leads)
    with python_sink(SMTP_MS) as sink:
        environ = servers.environ_of(
            settings, uri, MAIL_PORT=str(sink.port), WEB_CONCURRENCY="2", EMAIL_CONNECTIONS="8"
        )
        with servers.crmapp_server(environ, settings.data_dir / "steady.log") as server:
            token = servers.sign_in(server.port)
            body = {"filter": {}}
            _, answer = servers.call(
                server.port, "POST", "/crm/leads/activate", body, token, seconds=60
            )
            session = answer["data"]["sessionId"]
            signed_in = {"Authorization": f"Bearer {token}"}
            paths = [path.format(session=session) for path in ASKED]
            before = memory_kib(server.worker)
            answers = ask_steadily(server.port, paths, signed_in, RATE, seconds)
            grown = memory_kib(server.worker) - before
            _, answer = servers.call(server.port, "GET", paths[0], token=token)
    db.client.close()
    progress = answer["data"]
    table = Table(f"{RATE} requests a second for {seconds} s beside an activation", ["crmapp"])
    table.row("requests", number(sum(answers.statuses.values())))
    table.row(
        "refused or failed",
        json.dumps(answers.refused),
        goal=Goal("none", answers.refused == 0),
    )
    for share in (0.5, 0.95, 0.99):
        table.row(f"p{share * 100:g}, ms", number(1000 * percentile(answers.late, share)))
    table.row("slowest, ms", number(1000 * answers.late[-1]))
    table.row("one process has grown by, MiB", number(grown / 1024))
    table.note(
        f"At the end {progress['activated']:,} of {progress['total']:,} leads were users, and "
        f"{progress['emailsSent']:,} mails had left."
    )
    table.show()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 s and 5,000 leads")
    quick = parser.parse_args().quick
    with servers.parts() as settings:
        run(settings, 10 if quick else SECONDS, 5000 if quick else LEADS)


if __name__ == "__main__":
    main()
