"""A small office, and programs that its people have signed in."""

from types import SimpleNamespace

import pytest

from crmapp.accounts import users
from crmapp.accounts.users import Role


@pytest.fixture
def office(db, new_person):
    """Sue and Sam are superadmins, ann and abe admins, gil is an agent, ulf was a lead, ivy is an invited
    agent."""
    roles = {
        Role.SUPERADMIN: ("sue", "sam"),
        Role.ADMIN: ("ann", "abe"),
        Role.AGENT: ("gil",),
        Role.USER: ("ulf",),
    }
    people = {
        name: new_person(f"{name}@example.com", role)
        for role, names in roles.items()
        for name in names
    }
    ivy = users.new_user("ivy@example.com", "Ivy", Role.AGENT)
    db.users.insert_one(ivy)
    return SimpleNamespace(**people, ivy=users.User(ivy))


@pytest.fixture
def sue(office, new_api):
    return new_api(office.sue)


@pytest.fixture
def ann_api(office, new_api):
    return new_api(office.ann)


@pytest.fixture
def patch():
    """Sends a PATCH for a person."""

    def send(api, person, **body):
        return api.client.patch(f"/crm/users/{person.id}", headers=api.headers, json=body)

    return send


@pytest.fixture
def stored(db):
    return lambda person: db.users.find_one({"_id": person.key})
