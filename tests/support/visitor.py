"""A browser without scripts, and a program: both ask the application in this process."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from crmapp.accounts import sessions
from crmapp.accounts.sessions import Kind
from crmapp.accounts.tokens import issue_bearer
from crmapp.accounts.users import User
from crmapp.database import db

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}


class Visitor:
    """A browser: it keeps cookies, and sends forms with their CSRF token."""

    def __init__(self, site: Flask) -> None:
        self.client = site.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers={**PAGE, **headers})

    def get_json(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers={**JSON, **headers})

    def csrf_token(self, page: str = "/login") -> str:
        """The token of a page, as a browser's scripts and forms read it."""
        html = self.client.get(page, headers=PAGE, follow_redirects=True).get_data(as_text=True)
        found = re.search(r'name="csrf-token" content="([^"]+)"', html)
        assert found, html
        return found[1]

    def submit(self, path: str, page: str | None = None, **fields: str) -> TestResponse:
        """Send a form that stands on `page` (by default at the same address)."""
        fields["csrf_token"] = self.csrf_token(page or path)
        return self.client.post(path, data=fields, headers=PAGE)

    def sign_in(self, email: str, password: str, **fields: str) -> TestResponse:
        return self.submit("/login", email=email, password=password, **fields)


class Caller:
    """A program with a bearer token, which asks the application in this process."""

    def __init__(self, site: Flask, user: User) -> None:
        self.client = site.test_client()
        with site.app_context():
            login = sessions.begin(db, user, Kind.PROGRAM, "127.0.0.1", "a program")
            self.headers = {"Authorization": f"Bearer {issue_bearer(login)}"}

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers={**self.headers, **headers})

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        """`options` are those of werkzeug's test client, in place of the JSON `body`."""
        options = options or {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.post(path, headers=self.headers, **options)

    def patch(self, path: str, body: Any) -> TestResponse:
        return self.client.patch(path, headers=self.headers, json=body)

    def activate(self, **body: Any) -> str:
        """Start an activation; returns its session id."""
        answer = self.post("/crm/leads/activate", body or {"filter": {}})
        assert answer.status_code == 202, answer.text
        return str(answer.json["data"]["sessionId"])
