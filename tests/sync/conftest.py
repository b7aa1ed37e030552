"""Entries to be synced, and syncs that run in this process."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.support.ml_service import MlService
from tests.support.work import run_jobs

AT = dt.datetime(2026, 1, 31, 14, 30, tzinfo=dt.UTC)


@pytest.fixture
def new_entries(db, admin):
    """Creates journal entries; returns their ids."""
    numbers = itertools.count(1)

    def new(count, **fields):
        entries = [
            {
                "kind": "call",
                "text": f"Entry {next(numbers)}\nSpoke about the budget.",
                "at": AT,
                "authorId": admin.key,
                "authorName": admin.name,
                "createdAt": AT,
                "updatedAt": AT,
                **fields,
            }
            for _ in range(count)
        ]
        return list(db.journal_entries.insert_many(entries).inserted_ids)

    return new


@pytest.fixture
def begin(api):
    """Starts a sync; returns its id."""

    def begin(type="journal_entries"):
        answer = api.post(f"/api/ml/sync/{type}")
        assert answer.status_code == 202, answer.text
        return answer.json["data"]["jobId"]

    return begin


@pytest.fixture
def sync(site, db, begin):
    """Does a whole sync; returns its job."""

    def sync(type="journal_entries"):
        job_id = begin(type)
        run_jobs(site)
        return db.jobs.find_one({"_id": job_id})

    return sync


@pytest.fixture
def counts(sync) -> Callable[..., dict[str, int]]:
    """Does a whole sync; returns those of its counts that are not 0."""

    def counts(type="journal_entries"):
        job = sync(type)
        assert job["status"] == "completed"
        return {name: count for name, count in job["counts"].items() if count}

    return counts


@pytest.fixture
def document_of(db):
    return lambda item_id: db.documents.find_one({"sourceId": item_id})


@pytest.fixture
def errors_of(db):
    """The errors of a job, by the item's id."""
    return lambda job_id: {row["itemId"]: row for row in db.job_errors.find({"jobId": job_id})}


@pytest.fixture
def ml_service(environ) -> Iterator[MlService]:
    """The ML service that the application is told of."""
    service = MlService()
    environ["ML_SERVICE_URL"] = service.url
    yield service
    service.stop()
