"""docs/api.md: its examples work, and it tells of every endpoint that there is."""

from __future__ import annotations

import json
import os
import re
import subprocess

from crmapp.openapi.describe import document
from tests.conftest import PASSWORD
from tests.support.server import ROOT

DOC = (ROOT / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)
# A group of actions has one line.
GROUP = re.compile(r"/bulk/\w+")


def test_its_examples_work(smtp, server, admin, db, tmp_path):
    steps = [f"echo; echo '### example {n}'\n{text}" for n, text in enumerate(EXAMPLES, 1)]
    given = {"URL": server.url, "EMAIL": admin.email, "PASSWORD": PASSWORD}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(steps)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **given},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(EXAMPLES) > 5
    assert {user["email"] for user in db.users.find({"leadId": {"$ne": None}})} == {
        "ivy@example.com",
        "bo@example.com",
    }
    assert re.search("^event: ?complete", ran.stdout, re.MULTILINE)
    assert "ivy@example.com" in (tmp_path / "export.csv").read_text(encoding="utf-8-sig")
    assert json.loads((tmp_path / "openapi.json").read_text())["openapi"] == "3.1.0"
    assert db.documents.find_one({"type": "goals"})["title"] == "Win ten"
    assert db.users.find_one({"email": "al@example.com"})["status"] == "invited"


def test_it_tells_of_every_endpoint(site):
    with site.app_context():
        paths = document(site)["paths"]
    there = {
        f"{method.upper()} {GROUP.sub('/bulk/{action}', path)}"
        for path, methods in paths.items()
        for method in methods
    }
    told = set(re.findall(r"`((?:GET|POST|PATCH|DELETE) /[^`?]*)`", DOC))
    assert there - told == set(), "not in the document"
    assert told - there == set(), "in the document, and not there"
