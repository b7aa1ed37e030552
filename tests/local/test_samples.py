"""Sample leads look real and can reach nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crmapp.local.samples import sample_leads


def test_addresses_are_unique_and_reserved() -> None:
    addresses = [lead["email"] for lead in sample_leads(5000)]

    assert len(set(addresses)) == 5000
    reserved = ("@example.com", "@example.org", "@example.net", ".example")
    assert all(address.isascii() and address.endswith(reserved) for address in addresses)


def test_the_same_seed_gives_the_same_leads() -> None:
    def people(seed: int) -> list[tuple[str, str]]:
        return [(lead["name"], lead["email"]) for lead in sample_leads(50, seed)]

    assert people(1) == people(1)
    assert people(1) != people(2)


def test_they_are_mostly_new_and_from_the_last_sixty_days() -> None:
    leads = list(sample_leads(1000))

    assert {lead["status"] for lead in leads} == {"new", "contacted", "qualified"}
    assert sum(lead["status"] == "new" for lead in leads) > 700
    assert any(not lead["name"].isascii() for lead in leads)
    now = datetime.now(UTC)
    assert all(now - timedelta(days=61) < lead["createdAt"] <= now for lead in leads)
