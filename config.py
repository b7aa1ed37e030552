"""Settings, all from the environment (a `.env` file is read too), all with a default that works.

Every value is checked once, at start; nonsense is refused with a sentence that names the variable.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values

T = TypeVar("T")


class SettingError(ValueError):
    """A setting that cannot be used. Its text names the variable and says what to do."""


@dataclass(frozen=True)
class Settings:
    """What the process was told. `None` for a server's address means: use the embedded one."""

    port: int
    bind: str
    web_concurrency: int
    trusted_proxies: int
    data_dir: Path
    mongodb_uri: str | None
    redis_url: str | None
    mail_server: str | None
    mail_port: int
    mail_use_tls: bool
    mail_use_ssl: bool
    mail_username: str | None
    mail_password: str | None
    mail_default_sender: str
    admin_email: str | None
    admin_password: str | None
    secret_key: str | None
    metrics_token: str | None
    log_format: str
    public_url: str
    sample_leads: int | None
    run_workers: bool
    progress_ttl_seconds: int
    job_lease_seconds: int
    undo_seconds: int
    notify_after_seconds: int
    ml_service_url: str | None
    email_connections: int
    email_batch: int
    email_sweep_seconds: int
    email_lease_seconds: int
    email_max_attempts: int
    email_retry_base_seconds: int
    mail_max_per_minute: int

    @property
    def embedded_mongodb(self) -> bool:
        return self.mongodb_uri is None

    @property
    def embedded_mail(self) -> bool:
        return self.mail_server is None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from `environ` (by default the process's, over a `.env` file).

        Raises SettingError for the first value that cannot be used.
        """
        if environ is None:
            environ = {**_dotenv(), **os.environ}
        read = _Reader(environ)
        port = read.number("PORT", 8000, least=1, most=65535)
        bind = read.bind("BIND", port)
        settings = cls(
            port=port,
            bind=bind,
            web_concurrency=read.number("WEB_CONCURRENCY", 2, least=1, most=64),
            trusted_proxies=read.number("TRUSTED_PROXIES", 0, least=0, most=10),
            data_dir=Path(read.text("DATA_DIR") or "instance").resolve(),
            mongodb_uri=read.url("MONGODB_URI", "mongodb", "mongodb+srv"),
            redis_url=read.url("REDIS_URL", "redis", "rediss", "unix"),
            mail_server=read.text("MAIL_SERVER"),
            mail_port=read.number("MAIL_PORT", 25, least=1, most=65535),
            mail_use_tls=read.flag("MAIL_USE_TLS", False),
            mail_use_ssl=read.flag("MAIL_USE_SSL", False),
            mail_username=read.text("MAIL_USERNAME"),
            mail_password=read.text("MAIL_PASSWORD"),
            mail_default_sender=read.text("MAIL_DEFAULT_SENDER") or "crmapp <crmapp@localhost>",
            admin_email=read.text("ADMIN_EMAIL"),
            admin_password=read.text("ADMIN_PASSWORD"),
            secret_key=read.secret("SECRET_KEY"),
            metrics_token=read.secret("METRICS_TOKEN"),
            log_format=read.choice("LOG_FORMAT", "text", "json"),
            public_url=(
                read.url("PUBLIC_URL", "http", "https") or f"http://{_reachable(bind)}"
            ).rstrip("/"),
            sample_leads=read.optional_number("SAMPLE_LEADS", least=0, most=1_000_000),
            run_workers=read.flag("RUN_WORKERS", True),
            progress_ttl_seconds=read.number("PROGRESS_TTL_SECONDS", 600, least=1),
            job_lease_seconds=read.number("JOB_LEASE_SECONDS", 10, least=1),
            undo_seconds=read.number("UNDO_SECONDS", 10, least=0, most=3600),
            notify_after_seconds=read.number("NOTIFY_AFTER_SECONDS", 60, least=1),
            ml_service_url=read.url("ML_SERVICE_URL", "http", "https"),
            email_connections=read.number("EMAIL_CONNECTIONS", 8, least=1, most=100),
            email_batch=read.number("EMAIL_BATCH", 50, least=1, most=1000),
            email_sweep_seconds=read.number("EMAIL_SWEEP_SECONDS", 30, least=1),
            email_lease_seconds=read.number("EMAIL_LEASE_SECONDS", 60, least=5),
            email_max_attempts=read.number("EMAIL_MAX_ATTEMPTS", 5, least=1, most=50),
            email_retry_base_seconds=read.number("EMAIL_RETRY_BASE_SECONDS", 30, least=1),
            mail_max_per_minute=read.number("MAIL_MAX_PER_MINUTE", 0, least=0),
        )
        settings._check_together()
        return settings

    def _check_together(self) -> None:
        if self.mail_use_tls and self.mail_use_ssl:
            raise SettingError("MAIL_USE_TLS and MAIL_USE_SSL are both on: choose one of them.")
        if self.mongodb_uri and not self.secret_key:
            raise SettingError(
                "SECRET_KEY is required when MONGODB_URI is set: every process must share it. "
                "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        if bool(self.mail_username) != bool(self.mail_password):
            raise SettingError("MAIL_USERNAME and MAIL_PASSWORD go together: set both or neither.")
        if self.admin_password and not self.admin_email:
            raise SettingError("ADMIN_PASSWORD is set but ADMIN_EMAIL is not: set both or neither.")


class _Reader:
    """Reads typed values out of a mapping of strings. An empty value counts as not set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str) -> str | None:
        return self.environ.get(name, "").strip() or None

    def number(self, name: str, default: int, *, least: int, most: int = 10**9) -> int:
        value = self.optional_number(name, least=least, most=most)
        return default if value is None else value

    def optional_number(self, name: str, *, least: int, most: int = 10**9) -> int | None:
        def parse(text: str) -> int:
            value = int(text)
            if not least <= value <= most:
                raise ValueError
            return value

        return self._parse(name, parse, f"a whole number from {least} to {most}")

    def flag(self, name: str, default: bool) -> bool:
        words = {"1": True, "true": True, "yes": True, "on": True}
        words |= {"0": False, "false": False, "no": False, "off": False}
        value = self._parse(name, lambda text: words[text.lower()], "1 or 0")
        return default if value is None else value

    def url(self, name: str, *schemes: str) -> str | None:
        def parse(text: str) -> str:
            parts = urlsplit(text)
            if parts.scheme not in schemes or not (parts.netloc or parts.scheme == "unix"):
                raise ValueError
            # Several hosts, of a replica set, are left to MongoDB's driver.
            if "," not in parts.netloc and parts.port == 0:
                raise ValueError
            return text

        return self._parse(
            name,
            parse,
            "an address that starts with " + " or ".join(f"{scheme}://" for scheme in schemes),
        )

    def bind(self, name: str, port: int) -> str:
        def parse(text: str) -> str:
            host, colon, number = text.partition(":")
            if not host or (colon and not 1 <= int(number) <= 65535):
                raise ValueError
            return text if colon else f"{text}:{port}"

        return self._parse(name, parse, "HOST or HOST:PORT") or f"127.0.0.1:{port}"

    def choice(self, name: str, default: str, *others: str) -> str:
        words = {word: word for word in (default, *others)}
        wanted = " or ".join(words)
        return self._parse(name, lambda text: words[text.lower()], wanted) or default

    def secret(self, name: str) -> str | None:
        def parse(text: str) -> str:
            if len(text) < 16:
                raise ValueError
            return text

        return self._parse(name, parse, "at least 16 characters", show=False)

    def _parse(
        self, name: str, parse: Callable[[str], T], wanted: str, *, show: bool = True
    ) -> T | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return parse(text)
        except (ValueError, KeyError):
            got = f", not {text!r}" if show else ""
            raise SettingError(f"{name} must be {wanted}{got}.") from None


def _reachable(bind: str) -> str:
    """Where this machine itself finds what listens on `bind`."""
    host, _, port = bind.rpartition(":")
    return f"127.0.0.1:{port}" if host in ("0.0.0.0", "[::]") else bind  # noqa: S104


def _dotenv() -> dict[str, str]:
    return {name: value for name, value in dotenv_values(".env").items() if value is not None}
