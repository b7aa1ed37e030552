"""The mail catcher, and the pages and functions that read what it kept."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask
from flask.testing import FlaskClient
from flask_login import LoginManager
from jinja2 import ChoiceLoader, DictLoader
from pymongo.database import Database

import crmapp
from config import Settings
from crmapp import local
from crmapp.local import caught
from crmapp.local.routes import local as local_pages
from tests.local.processes import kill, pid_of

BASE = "<title>{% block title %}{% endblock %}</title>{% block content %}{% endblock %}"


@pytest.fixture
def catcher(mail_settings: Settings) -> Settings:
    return local.resolve(mail_settings)


@pytest.fixture
def smtp(catcher: Settings) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(catcher.mail_server, catcher.mail_port) as connection:
        yield connection


@pytest.fixture
def pages(catcher: Settings, db: Database[dict[str, Any]]) -> FlaskClient:
    """The two pages alone, in a bare layout and for an administrator."""
    app = Flask("crmapp", root_path=str(Path(crmapp.__file__).parent))
    app.config["SETTINGS"] = catcher
    app.extensions["database"] = db
    app.jinja_env.loader = ChoiceLoader([DictLoader({"base.html": BASE}), app.jinja_loader])
    admin = SimpleNamespace(
        key=ObjectId(),
        login="",
        is_authenticated=True,
        may_enter_back_office=True,
        sees_everything=True,
    )
    LoginManager(app).request_loader(lambda request: admin)
    app.register_blueprint(local_pages)
    return app.test_client()


def mail_to(address: str, subject: str = "Welcome, Zoë") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "crmapp@example.com", address, subject
    mail["Message-ID"] = "<1@example.com>"
    mail.set_content("Choose a password: http://127.0.0.1:8000/invitation/abc\n.\nGrüße\n")
    mail.add_alternative('<p><a href="http://127.0.0.1:8000/invitation/abc">Go</a>', "html")
    return mail


def test_a_delivered_mail_is_kept_as_it_was(catcher: Settings, smtp: smtplib.SMTP) -> None:
    smtp.send_message(mail_to("zoe@example.org"))

    [mail] = caught.messages(catcher.data_dir)
    assert (mail.to, mail.subject) == ("zoe@example.org", "Welcome, Zoë")
    assert mail.message_id == "<1@example.com>"
    assert mail.text == "Choose a password: http://127.0.0.1:8000/invitation/abc\n.\nGrüße\n"
    assert mail.links == ["http://127.0.0.1:8000/invitation/abc"]
    assert caught.message(catcher.data_dir, mail.key) == mail


def test_an_address_beyond_ascii_is_accepted(catcher: Settings, smtp: smtplib.SMTP) -> None:
    smtp.send_message(mail_to("jürgen@müller.example"))

    assert [mail.to for mail in caught.messages(catcher.data_dir, q="MÜLLER")] == [
        "jürgen@müller.example"
    ]


def test_newest_first_limited_and_searched(catcher: Settings, smtp: smtplib.SMTP) -> None:
    for number in range(5):
        smtp.send_message(mail_to(f"lead{number}@example.org", subject=f"lead4? no, {number}"))

    newest = caught.messages(catcher.data_dir, limit=2)
    assert [mail.to for mail in newest] == ["lead4@example.org", "lead3@example.org"]
    assert [mail.to for mail in caught.messages(catcher.data_dir, q="lead4@")] == [
        "lead4@example.org"
    ]


def test_an_acknowledged_mail_survives_the_killed_catcher(
    catcher: Settings, smtp: smtplib.SMTP, mail_settings: Settings
) -> None:
    for number in range(20):
        smtp.send_message(mail_to(f"lead{number}@example.org"))
    kill(pid_of("mail", catcher.data_dir))

    assert len(caught.messages(catcher.data_dir)) == 20
    again = local.resolve(mail_settings)
    assert again.mail_port == catcher.mail_port
    with smtplib.SMTP(again.mail_server, again.mail_port) as connection:
        connection.send_message(mail_to("late@example.org"))
    assert len(caught.messages(catcher.data_dir)) == 21


def test_fifty_connections_at_once(catcher: Settings) -> None:
    connections = [smtplib.SMTP(catcher.mail_server, catcher.mail_port) for _ in range(50)]
    with ThreadPoolExecutor(10) as pool:
        list(
            pool.map(
                lambda pair: pair[1].send_message(mail_to(f"{pair[0]}@example.org")),
                enumerate(connections),
            )
        )
    for connection in connections:
        connection.quit()

    addresses = {mail.to for mail in caught.messages(catcher.data_dir)}
    assert addresses == {f"{number}@example.org" for number in range(50)}


def test_a_mail_beyond_the_limit_is_refused(catcher: Settings, smtp: smtplib.SMTP) -> None:
    mail = mail_to("zoe@example.org")
    mail.add_attachment(bytes(9 * 1024 * 1024), maintype="application", subtype="octet-stream")

    with pytest.raises(smtplib.SMTPException, match="552"):
        smtp.send_message(mail)
    assert caught.messages(catcher.data_dir) == []


def test_the_pages_show_the_mails(pages: FlaskClient, smtp: smtplib.SMTP) -> None:
    assert "No mail yet." in pages.get("/local/mail").text
    smtp.send_message(mail_to("zoe@example.org", subject="<b>Welcome</b>"))

    page = pages.get("/local/mail?q=zoe").text
    assert "&lt;b&gt;Welcome&lt;/b&gt;" in page
    assert "zoe@example.org" not in pages.get("/local/mail?q=nobody").text
    address = re.search(r'href="(/local/mail/[^"]+)"', page)[1]
    assert '<a href="http://127.0.0.1:8000/invitation/abc"' in pages.get(address).text


@pytest.mark.parametrize("key", ["..%2f..%2fsecret_key", "%2e%2e", "secret_key", "1" * 19])
def test_a_made_up_key_reaches_no_file(pages: FlaskClient, catcher: Settings, key: str) -> None:
    (catcher.data_dir / "secret_key").write_text("hush")

    answer = pages.get(f"/local/mail/{key}")
    assert answer.status_code == 404
    assert "hush" not in answer.text
    with pytest.raises(KeyError):
        caught.message(catcher.data_dir, "../../secret_key")
