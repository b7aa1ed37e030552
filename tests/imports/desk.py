"""What a person does with a file of leads, by a program."""

from __future__ import annotations

import io
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.visitor import Caller
from tests.support.work import run_jobs

IMPORTS = "/crm/leads/imports"


class ImportDesk:
    """`db` is the test's database, `api` whoever imports."""

    def __init__(self, db: Any, site: Flask, api: Caller) -> None:
        self.db = db
        self.api = api
        self._site = site

    def send(self, content: str | bytes, name: str = "leads.csv") -> TestResponse:
        content = content if isinstance(content, bytes) else content.encode()
        return self.api.post(IMPORTS, data={"file": (io.BytesIO(content), name)})

    def bring(self, content: str | bytes) -> dict[str, Any]:
        answer = self.send(content)
        assert answer.status_code == 201, answer.text
        return dict(answer.json["data"])

    def preview(self, import_id: str, **mapping: str | None) -> dict[str, Any]:
        answer = self.api.post(f"{IMPORTS}/{import_id}/preview", numbered(mapping))
        assert answer.status_code == 200, answer.text
        return dict(answer.json["data"])

    def start(self, import_id: str, **mapping: str | None) -> str:
        answer = self.api.post(f"{IMPORTS}/{import_id}/start", numbered(mapping))
        assert answer.status_code == 202, answer.text
        return str(answer.json["data"]["jobId"])

    def run(self) -> None:
        """Let every job that is free be done."""
        run_jobs(self._site)

    def do(self, content: str | bytes, **mapping: str | None) -> str:
        """Import all of it; returns the id, of the import and of its job."""
        job_id = self.start(self.bring(content)["id"], **mapping)
        self.run()
        return job_id

    def undo(self, import_id: str) -> TestResponse:
        return self.api.post(f"{IMPORTS}/{import_id}/undo", {})

    def counts(self, job_id: str) -> dict[str, int]:
        """Without what is 0. The job has ended and its sums add up."""
        job = self.db.jobs.find_one({"_id": job_id})
        assert (job["phase"], job["status"]) == ("over", "completed"), job
        counts = job["counts"]
        assert counts["total"] == sum(counts.values()) - counts["total"]
        return {name: count for name, count in counts.items() if count}

    def emails(self) -> list[str]:
        return sorted(lead["email"] for lead in self.db.leads.find())

    def bad_rows(self, import_id: str) -> TestResponse:
        return self.api.get(f"{IMPORTS}/{import_id}/bad-rows.csv")


def numbered(mapping: dict[str, str | None]) -> dict[str, Any]:
    """column_2="email" is column 2."""
    return {"mapping": {name.removeprefix("column_"): field for name, field in mapping.items()}}
