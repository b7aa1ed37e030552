"""Settings that are allowed, but not for others than oneself. Those that cannot be used at all stop every command."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from config import Settings
from crmapp.doctor.findings import Finding, ok, warn

HOW_TO_MAKE_ONE = (
    "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'. Everybody then has to sign in anew, and "
    "links in earlier mail stop working."
)
# As the bytes of a key for HMAC-SHA-1, which signs cookies; and no word repeated.
LONG_ENOUGH = 32
DIFFERENT_CHARACTERS = 10
PLACEHOLDERS = ("secret", "change", "password", "example", "crmapp")


def check(settings: Settings, embedded_mail: bool) -> Iterator[Finding]:
    """`embedded_mail`: no mail server was set."""
    yield _secret_key(settings.secret_key or "")
    yield _public_url(settings)
    if not embedded_mail:
        yield _sender(settings)


def _secret_key(key: str) -> Finding:
    weak = len(key) < LONG_ENOUGH or len(set(key)) < DIFFERENT_CHARACTERS
    if weak or any(word in key.lower() for word in PLACEHOLDERS):
        return warn(
            "SECRET_KEY", "can be guessed: whoever does can sign in as anybody", HOW_TO_MAKE_ONE
        )
    return ok("SECRET_KEY", f"{len(key)} characters")


def _public_url(settings: Settings) -> Finding:
    parts = urlsplit(settings.public_url)
    if parts.scheme != "https" and not _is_this_machine(parts.hostname or ""):
        return warn(
            "PUBLIC_URL",
            f"{settings.public_url} sends passwords and cookies in clear",
            "Put a web server with a certificate in front, and set PUBLIC_URL=https://… (docs/operations.md).",
        )
    if parts.scheme == "https" and not settings.trusted_proxies:
        return warn(
            "PUBLIC_URL",
            f"{settings.public_url}, but TRUSTED_PROXIES is 0",
            "Set TRUSTED_PROXIES=1 behind one web server: otherwise everybody seems to come from its address, and is "
            "limited together.",
        )
    return ok("PUBLIC_URL", settings.public_url)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sender(settings: Settings) -> Finding:
    if settings.mail_default_sender.rstrip(">").endswith("@localhost"):
        return warn(
            "MAIL_DEFAULT_SENDER",
            f"{settings.mail_default_sender} is an address that nobody can answer, and many servers refuse",
            "Set it to an address of your own domain.",
        )
    return ok("MAIL_DEFAULT_SENDER", settings.mail_default_sender)
