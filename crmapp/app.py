"""The application, put together."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_mail import Mail
from pymongo.uri_parser import parse_uri
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Settings
from crmapp import (
    access_log,
    cli,
    database,
    errors,
    headers,
    health,
    job_kinds,
    local,
    pages,
    streams,
    wire,
)
from crmapp.accounts import access, attempts
from crmapp.accounts.access import back_office_only
from crmapp.accounts.routes import accounts
from crmapp.activation.routes import activation
from crmapp.alerts import alerts as standing_alerts
from crmapp.alerts.routes import alerts
from crmapp.audit import record as audit_record
from crmapp.audit.routes import audit
from crmapp.bulk.routes import bulk
from crmapp.dashboard.routes import dashboard
from crmapp.goals.routes import goals
from crmapp.imports.routes import imports
from crmapp.invitations.routes import invitations
from crmapp.jobs.routes import jobs_desk
from crmapp.journal.routes import journal
from crmapp.lead_card.routes import lead_card
from crmapp.leads.routes import leads
from crmapp.leads.saved import saved_filters
from crmapp.live.blueprint import live
from crmapp.local.routes import local as local_pages
from crmapp.mailqueue import health as health_of_queue
from crmapp.mailqueue.routes import email_queue
from crmapp.metrics.routes import metrics
from crmapp.openapi.routes import openapi
from crmapp.people.routes import users
from crmapp.profile.forgotten import forgotten
from crmapp.profile.routes import profile
from crmapp.search.routes import search
from crmapp.sync.pages import sync_pages
from crmapp.sync.routes import ml_sync

MAX_UPLOAD_BYTES = 32 * 1024 * 1024
SESSION_DAYS = 14


def create_app(settings: Settings | None = None) -> Flask:
    """The application. Embedded servers are found, or started, for every part that has no address."""
    given = settings or Settings.from_environ()
    settings = local.resolve(given)
    assert settings.mongodb_uri is not None
    assert settings.redis_url is not None
    app = Flask("crmapp")
    _configure(app, settings)
    _trust_proxies(app, settings.trusted_proxies)
    app.jinja_env.globals["local_mail"] = given.embedded_mail
    app.jinja_env.globals["queue_health"] = lambda: health_of_queue.for_page(database.current())
    app.jinja_env.globals["alerts"] = lambda: standing_alerts.for_page(database.current())
    namespace = _namespace(settings.mongodb_uri)
    db = database.connect(settings.mongodb_uri)
    database.init_app(app, db)
    # First, so that it sees a request before everybody else, and its answer after everybody else.
    access_log.init_app(app)
    wire.init_app(app)
    Bootstrap5(app)
    Mail(app)
    live.init_app(app, settings.redis_url, namespace)
    access.init_app(app)
    job_kinds.init_app(app)
    attempts.init_app(app, settings.redis_url, namespace)
    errors.init_app(app)
    audit_record.init_app(app)
    headers.init_app(app)
    cli.init_app(app)
    _register(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SETTINGS=settings,
        DATA_DIR=settings.data_dir,
        SECRET_KEY=settings.secret_key,
        PUBLIC_URL=settings.public_url,
        MAX_CONTENT_LENGTH=MAX_UPLOAD_BYTES,
        SESSION_COOKIE_NAME="crmapp",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(days=SESSION_DAYS),
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        BOOTSTRAP_SERVE_LOCAL=True,
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=settings.mail_port,
        MAIL_USE_TLS=settings.mail_use_tls,
        MAIL_USE_SSL=settings.mail_use_ssl,
        MAIL_USERNAME=settings.mail_username,
        MAIL_PASSWORD=settings.mail_password,
        MAIL_DEFAULT_SENDER=settings.mail_default_sender,
    )


def _trust_proxies(app: Flask, count: int) -> None:
    """Who asks, and over what, is what the last `count` proxies say; a header of anybody else's says nothing."""
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]


def _namespace(mongodb_uri: str) -> str:
    """Installations that share one Redis are told apart by the database that they keep their truth in."""
    parts = parse_uri(mongodb_uri, validate=False) if "+srv" not in mongodb_uri else {}
    name = f"{sorted(parts['nodelist'])}/{parts['database']}" if parts else mongodb_uri
    return hashlib.sha256(name.encode()).hexdigest()[:12]


BACK_OFFICE = (
    alerts,
    dashboard,
    search,
    leads,
    saved_filters,
    lead_card,
    bulk,
    imports,
    activation,
    jobs_desk,
    email_queue,
    users,
    journal,
    goals,
    audit,
    ml_sync,
    sync_pages,
    openapi,
    local_pages,
)
for _blueprint in BACK_OFFICE:
    _blueprint.before_request(back_office_only)


def _register(app: Flask) -> None:
    local_mail = app.jinja_env.globals["local_mail"]
    for blueprint in BACK_OFFICE:
        if blueprint is not local_pages or local_mail:
            app.register_blueprint(blueprint)
    for blueprint in (
        streams.streams,
        profile,
        forgotten,
        accounts,
        invitations,
        health.health,
        metrics,
        pages.pages,
    ):
        app.register_blueprint(blueprint)
