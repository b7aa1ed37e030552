"""A real Chromium, and what a person does with it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.conftest import PASSWORD
from tests.support.server import Server

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    if binary is None:
        message = "no Chromium on this machine: install Debian's package chromium"
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=OPTIONS)
        yield browser
        browser.close()


class Desk:
    """One tab of one person. What the console complains of, and what breaks the page's policy, fails the test."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, email: str = "ann@example.com") -> Desk:
        self.page.goto(self.url + "/login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.locator("#connection")).to_be_visible()
        return self

    def sign_out(self) -> None:
        self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_role("button", name="Sign in")).to_be_visible()

    def open(self, path: str = "/crm/leads") -> Desk:
        self.page.goto(self.url + path)
        return self

    def select(self, *names: str) -> None:
        for name in names:
            self.page.get_by_label(f"Select {name}", exact=True).check()

    def select_page(self) -> None:
        self.page.locator("#select-page").check()

    def select_all_that_match(self) -> None:
        self.select_page()
        self.page.get_by_role("button", name=re.compile("Select all .* that match")).click()

    def activate(self) -> None:
        """Press Activate, and confirm what the preview says."""
        self.page.locator("#activate").click()
        confirm = self.page.locator("#confirm-activate")
        expect(confirm).to_be_enabled(timeout=20_000)
        confirm.click()

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog#progress-dialog[open]")

    @property
    def trackers(self) -> Locator:
        return self.page.locator("#dock .tracker")

    @property
    def badge(self) -> Locator:
        return self.page.locator("#queue-badge")

    @property
    def connection(self) -> Locator:
        return self.page.locator("#connection")


@pytest.fixture
def new_desk(chromium: Browser, server: Server) -> Iterator[Callable[..., Desk]]:
    """Opens a browser of its own (or another tab of `beside`) at the test's server, not signed in."""
    desks: list[Desk] = []

    def new(beside: Desk | None = None, **options: object) -> Desk:
        context = beside.page.context if beside else chromium.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        desk = Desk(context.new_page(), server.url)
        desks.append(desk)
        return desk

    yield new
    for context in {desk.page.context for desk in desks}:
        context.close()
    assert [complaint for desk in desks for complaint in desk.complaints] == []


@pytest.fixture
def desk(new_desk: Callable[..., Desk], admin: object) -> Desk:
    return new_desk().sign_in()
