"""The other parts: Redis, the mail server, this machine's disk, the workers, and the first superadmin."""

from __future__ import annotations

import secrets
import shutil
import time
from datetime import timedelta
from pathlib import Path

from flask_mail import Mail
from redis import Redis
from redis.client import PubSub
from redis.exceptions import RedisError

from crmapp.accounts.users import Role, UserStatus
from crmapp.alerts.conditions import NEARLY_FULL
from crmapp.clock import now
from crmapp.database import Db
from crmapp.doctor.findings import Finding, fault, ok, warn
from crmapp.mailqueue.replies import outage_of, words_of
from crmapp.mailqueue.smtp import MailConnection

HEARD_WITHIN_SECONDS = 2.0
# A worker says every 5 s that it is alive.
ALIVE = timedelta(seconds=30)
LEAST_FREE_BYTES = 1024**3


def redis(client: Redis) -> Finding:
    """Also that what is published is heard, which a user of Redis may not be allowed."""
    channel, word = f"crmapp:doctor:{secrets.token_hex(8)}", secrets.token_hex(8)
    try:
        with client.pubsub() as pubsub:
            pubsub.subscribe(channel)
            pubsub.get_message(timeout=HEARD_WITHIN_SECONDS)
            client.publish(channel, word)
            heard = _heard(pubsub)
    except RedisError as error:
        return fault(
            "Redis",
            f"does not answer ({error})",
            "Start it, or correct REDIS_URL. Until then pages poll, and jobs and mail begin up to 30 s late.",
        )
    if heard != word.encode():
        return fault(
            "Redis",
            "answers, but what is published is not heard",
            "Allow the user of REDIS_URL the channels crmapp:* (ACL SETUSER … '&crmapp:*' +@pubsub).",
        )
    return ok("Redis", "answers, and what is published is heard")


def _heard(pubsub: PubSub) -> object:
    until = time.monotonic() + HEARD_WITHIN_SECONDS
    while (left := until - time.monotonic()) > 0:
        message = pubsub.get_message(ignore_subscribe_messages=True, timeout=left)
        if message:
            return message["data"]
    return None


def mail_server(mail: Mail, embedded: bool) -> Finding:
    """Connect and sign in as the sender does, and send nothing. `embedded`: no mail server was set."""
    if embedded:
        return warn(
            "mail server",
            "the built-in catcher: no mail leaves this machine",
            "Set MAIL_SERVER for mail that is to arrive.",
        )
    connection = MailConnection(mail, lease_seconds=30)
    where = f"{mail.server}:{mail.port}"
    try:
        connection.open()
    except OSError as error:
        return fault(
            "mail server",
            f"{where}: {outage_of(error)} ({words_of(error)[:200]})",
            "Check MAIL_SERVER, MAIL_PORT, MAIL_USE_TLS (usually 587) or MAIL_USE_SSL (465), MAIL_USERNAME and "
            "MAIL_PASSWORD, the server's certificate, and whether a firewall is in between.",
        )
    connection.close()
    if mail.username and not (mail.use_tls or mail.use_ssl):
        return warn(
            "mail server",
            f"{where} lets us in, but the password goes there in clear",
            "Set MAIL_USE_TLS=1 (usually port 587) or MAIL_USE_SSL=1 (465).",
        )
    return ok("mail server", f"{where} lets us in")


def disk(data_dir: Path) -> Finding:
    """This machine's, where DATA_DIR is or will be."""
    there = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    usage = shutil.disk_usage(there)
    # Some file systems have no size at all.
    share = 1 - usage.free / usage.total if usage.total else 0.0
    text = f"{share:.0%} full, {usage.free / 1024**3:,.0f} GiB free"
    if share >= NEARLY_FULL and usage.free < LEAST_FREE_BYTES:
        return fault("disk here", text, f"Free some space where {there} is.")
    if share >= NEARLY_FULL:
        return warn("disk here", text, f"Free some space where {there} is.")
    return ok("disk here", text)


def workers(db: Db) -> Finding:
    alive = db.workers.count_documents({"seenAt": {"$gt": now() - ALIVE}})
    if not alive:
        return fault(
            "workers",
            "none is alive: no job runs and no mail leaves",
            "Start `flask worker`, or gunicorn with RUN_WORKERS=1.",
        )
    return ok("workers", f"{alive} alive")


def superadmin(db: Db) -> Finding:
    count = db.users.count_documents({"role": Role.SUPERADMIN, "status": UserStatus.ACTIVE})
    if not count:
        return fault(
            "superadmin",
            "there is none who may sign in: nobody can manage administrators",
            "Run `flask create-admin ADDRESS`.",
        )
    return ok("superadmin", f"{count} may sign in")
