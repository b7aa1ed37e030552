"""A Celery task per mail, with Flask-Mail, as Celery's and Flask-Mail's pages show it. The letter is ready-made."""

from __future__ import annotations

import os

from celery import Celery
from flask import Flask
from flask_mail import Mail, Message

flask = Flask(__name__)
flask.config.update(
    MAIL_SERVER="127.0.0.1",
    MAIL_PORT=int(os.environ["MAIL_PORT"]),
    MAIL_DEFAULT_SENDER="crmapp@localhost",
)
mailer = Mail(flask)
app = Celery("peer", broker=os.environ["BROKER_URL"])
app.conf.task_ignore_result = True


@app.task(name="send")
def send(recipient: str, subject: str, text: str, html: str) -> None:
    with flask.app_context():
        mailer.send(Message(subject, [recipient], text, html))
