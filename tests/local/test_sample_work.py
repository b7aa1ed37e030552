"""The sample journal and goals fit the sample leads, and can be synced."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import ObjectId

from crmapp.local.samples import sample_goals, sample_journal, sample_leads


@pytest.fixture
def leads() -> list[dict[str, Any]]:
    return [{**lead, "_id": ObjectId()} for lead in sample_leads(50)]


@pytest.fixture
def people() -> list[dict[str, Any]]:
    return [
        {"_id": ObjectId(), "name": name, "email": f"{name.lower()}@example.com"}
        for name in ("Ann", "Bob")
    ]


def test_entries_are_about_leads_that_were_there(
    leads: list[dict[str, Any]], people: list[dict[str, Any]]
) -> None:
    entries = list(sample_journal(leads, people, 500))

    assert len(entries) == 500
    there_since = {lead["_id"]: lead["createdAt"] for lead in leads}
    now = datetime.now(UTC)
    assert all(there_since[entry["leadId"]] <= entry["at"] <= now for entry in entries)
    assert {entry["kind"] for entry in entries} == {"call", "note", "meeting"}
    assert {entry["authorName"] for entry in entries} == {"Ann", "Bob"}
    assert len({entry["text"] for entry in entries}) > 300
    assert not any("{" in entry["text"] for entry in entries)


def test_goals_are_of_every_state(people: list[dict[str, Any]]) -> None:
    goals = list(sample_goals(people, 100))

    assert len(goals) == 100
    now = datetime.now(UTC)
    assert all(goal["from"] < goal["to"] for goal in goals)
    assert any(goal["progress"] >= goal["target"] for goal in goals)
    late = [goal for goal in goals if goal["to"] < now and goal["progress"] < goal["target"]]
    early = [goal for goal in goals if goal["to"] > now and goal["progress"] < goal["target"]]
    assert late
    assert early


def test_the_same_seed_gives_the_same_texts(
    leads: list[dict[str, Any]], people: list[dict[str, Any]]
) -> None:
    def texts(seed: int) -> list[str]:
        return [entry["text"] for entry in sample_journal(leads, people, 20, seed)]

    assert texts(1) == texts(1) != texts(2)


def test_without_leads_or_people_there_is_nothing(leads: list[dict[str, Any]]) -> None:
    assert list(sample_journal([], [{}], 5)) == []
    assert list(sample_journal(leads, [], 5)) == []
    assert list(sample_goals([], 5)) == []
