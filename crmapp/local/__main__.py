"""`make run`: prepare everything, serve, and leave nothing behind."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from types import FrameType

import click

from config import SettingError, Settings
from crmapp import cli, local
from crmapp.app import create_app

READY_SECONDS = 60
PORT_SECONDS = 6
PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    """Serve until a signal or the end of gunicorn. Returns the exit status."""
    try:
        settings = Settings.from_environ()
        sign_in = _prepare(settings)
        _wait_for_port(settings.bind)
        return _serve(settings, sign_in)
    except (SettingError, local.LocalError, click.ClickException) as error:
        print(f"crmapp: {error}", file=sys.stderr)
        return 2
    finally:
        local.release()


def _prepare(settings: Settings) -> str:
    """The database, its first superadmin and the sample leads. Returns how to sign in."""
    app = create_app(settings)
    with app.app_context():
        email, password = cli.prepare_database()
        if settings.sample_leads or (settings.sample_leads is None and settings.embedded_mongodb):
            count = 500 if settings.sample_leads is None else settings.sample_leads
            cli.add_sample_leads(count)
    app.extensions["database"].client.close()
    if email is None:
        return "sign in as before (`make admin` makes a new sign-in)"
    return f"sign in as {email} with {f'{password} (shown this once)' if password else 'ADMIN_PASSWORD'}"


def _wait_for_port(bind: str) -> None:
    """A server that was killed may need a moment to let go of its port."""
    host, _, port = bind.rpartition(":")
    give_up_at = time.monotonic() + PORT_SECONDS
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, int(port)))
            except OSError as error:
                if time.monotonic() > give_up_at:
                    raise SettingError(
                        f"{bind} cannot be listened on ({error.strerror}): set PORT or BIND, or end "
                        "the program that uses it."
                    ) from None
            else:
                return
        time.sleep(0.1)


def _serve(settings: Settings, sign_in: str) -> int:
    gunicorn = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--log-level", "warning"], preexec_fn=_follow_parent
    )

    def stop(number: int, frame: FrameType | None) -> None:
        gunicorn.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if _is_ready(gunicorn, settings.bind):
        print(f"crmapp is at {settings.public_url} — {sign_in}", flush=True)
    return gunicorn.wait()


def _is_ready(gunicorn: subprocess.Popen[bytes], bind: str) -> bool:
    host, _, port = bind.rpartition(":")
    url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/readyz"  # noqa: S104
    give_up_at = time.monotonic() + READY_SECONDS
    while gunicorn.poll() is None and time.monotonic() < give_up_at:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False


def _follow_parent() -> None:
    """In gunicorn's process: end when this one is killed, and leave Ctrl-C, which goes to both, to this one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
