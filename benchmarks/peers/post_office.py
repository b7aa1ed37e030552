"""django-post_office with SQLite in WAL mode: `python -m benchmarks.peers.post_office`, a helper.

Its settings are its own, but for the number of threads, each of which has a connection. Mails are queued ready-made,
so that it renders nothing.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

SENDER = "crmapp@localhost"


def configure() -> None:
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.environ["DATABASE"],
                "OPTIONS": {
                    "timeout": 30,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
                },
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=int(os.environ["MAIL_PORT"]),
        POST_OFFICE={"THREADS_PER_PROCESS": int(os.environ["THREADS"])},
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        USE_TZ=True,
    )
    django.setup()
    # By default it prints five lines for each batch.
    logging.getLogger("post_office").setLevel(logging.WARNING)
    call_command("migrate", verbosity=0)


def queue(path: str) -> int:
    """Queue the letters of the file. Returns how many."""
    from post_office import mail

    letters = json.loads(Path(path).read_text())
    mail.send_many(
        [
            {
                "recipients": letter["recipient"],
                "sender": SENDER,
                "subject": letter["subject"],
                "message": letter["text"],
                "html_message": letter["html"],
            }
            for letter in letters
        ]
    )
    return len(letters)


def send(processes: int) -> float:
    """What its command `send_queued_mail` does. Returns the seconds until the last mail is settled."""
    from post_office.mail import send_queued_mail_until_done

    began = time.monotonic()
    send_queued_mail_until_done(processes=processes)
    return time.monotonic() - began


def main() -> None:
    configure()
    print(json.dumps("ready"), flush=True)
    commands = {"queue": queue, "send": send}
    while line := sys.stdin.readline():
        asked = json.loads(line)
        print(json.dumps(commands[asked.pop("do")](**asked)), flush=True)


if __name__ == "__main__":
    main()
