"""How often signing in may be tried, counted in all processes together."""

import itertools

import pytest
import requests

from tests.conftest import PASSWORD

WRONG = "wrong-password"

_addresses = (f"192.0.2.{number}" for number in itertools.count(1))


@pytest.fixture
def try_to_sign_in(site):
    """Tries at the form or the API; returns the status."""
    client = site.test_client()

    def attempt(email, password=WRONG, address="192.0.2.1"):
        body = {"email": email, "password": password}
        environ = {"REMOTE_ADDR": address}
        return client.post("/api/login", json=body, environ_base=environ).status_code

    return attempt


def test_an_account_from_many_addresses(try_to_sign_in, admin):
    def from_somewhere(email, password=WRONG):
        return try_to_sign_in(email, password, next(_addresses))

    spellings = itertools.cycle(["ann@example.com", " ANN@Example.com "])
    assert [from_somewhere(next(spellings)) for _ in range(10)] == [401] * 10
    assert from_somewhere("ann@example.com", PASSWORD) == 429
    assert from_somewhere("bob@example.com") == 401


def test_an_address_that_tries_many_accounts(try_to_sign_in, admin):
    tries = [try_to_sign_in(f"someone{number}@example.com") for number in range(30)]
    assert tries == [401] * 30
    assert try_to_sign_in("ann@example.com", PASSWORD) == 429
    assert try_to_sign_in("ann@example.com", PASSWORD, "192.0.2.2") == 200


def test_who_signs_in_rightly_is_never_stopped(try_to_sign_in, admin):
    assert {try_to_sign_in("ann@example.com", PASSWORD) for _ in range(12)} == {200}


def test_the_form_and_the_api_count_together(visitor, site, try_to_sign_in, admin):
    for _ in range(10):
        try_to_sign_in("ann@example.com")
    answer = visitor.sign_in("ann@example.com", PASSWORD)
    assert answer.status_code == 429
    assert "Too many attempts. Please wait a minute" in answer.get_data(as_text=True)


def test_processes_count_together(new_server, admin):
    servers = [new_server(WEB_CONCURRENCY="1", RUN_WORKERS="0") for _ in range(2)]

    def attempt(server, password=WRONG):
        body = {"email": "ann@example.com", "password": password}
        return requests.post(server.url + "/api/login", json=body, timeout=10)

    tries = [attempt(servers[number % 2]).status_code for number in range(10)]
    assert tries == [401] * 10
    for server in servers:
        refused = attempt(server, PASSWORD)
        assert refused.status_code == 429
        assert refused.json()["msg"].startswith("Too many attempts.")
