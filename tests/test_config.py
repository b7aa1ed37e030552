"""Settings: defaults that work, and a sentence for each value that cannot."""

import re

import pytest

from config import SettingError, Settings

NONSENSE = [
    ("PORT", "eighty"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "80.5"),
    ("BIND", ":8000"),
    ("BIND", "localhost:http"),
    ("BIND", "localhost:0"),
    ("WEB_CONCURRENCY", "0"),
    ("WEB_CONCURRENCY", "many"),
    ("MONGODB_URI", "localhost:27017"),
    ("MONGODB_URI", "http://localhost"),
    ("MONGODB_URI", "mongodb://"),
    ("MONGODB_URI", "mongodb:localhost"),
    ("REDIS_URL", "localhost"),
    ("REDIS_URL", "redis://localhost:port"),
    ("MAIL_PORT", "smtp"),
    ("MAIL_USE_TLS", "maybe"),
    ("MAIL_USE_SSL", "2"),
    ("SECRET_KEY", "short"),
    ("METRICS_TOKEN", "short"),
    ("LOG_FORMAT", "xml"),
    ("PUBLIC_URL", "crm.example.com"),
    ("PUBLIC_URL", "ftp://crm.example.com"),
    ("PUBLIC_URL", "https://"),
    ("PUBLIC_URL", "https://[nonsense"),
    ("SAMPLE_LEADS", "-1"),
    ("RUN_WORKERS", "sometimes"),
    ("PROGRESS_TTL_SECONDS", "0"),
    ("JOB_LEASE_SECONDS", "-5"),
    ("EMAIL_CONNECTIONS", "0"),
    ("EMAIL_BATCH", "1001"),
    ("EMAIL_SWEEP_SECONDS", "soon"),
    ("EMAIL_LEASE_SECONDS", "1"),
    ("EMAIL_MAX_ATTEMPTS", "0"),
    ("EMAIL_RETRY_BASE_SECONDS", "1e3"),
]
TOGETHER = [
    {"MAIL_USE_TLS": "1", "MAIL_USE_SSL": "1"},
    {"MAIL_USERNAME": "ann"},
    {"MAIL_PASSWORD": "xyz"},
    {"ADMIN_PASSWORD": "correct-horse"},
]


@pytest.mark.parametrize(("name", "value"), NONSENSE)
def test_nonsense_is_refused_by_name(name, value):
    with pytest.raises(SettingError) as refusal:
        Settings.from_environ({name: value})
    sentence = str(refusal.value)
    assert re.match(rf"{name} must be .+\.$", sentence)
    assert (repr(value) in sentence) == (name not in ("SECRET_KEY", "METRICS_TOKEN"))


@pytest.mark.parametrize("environ", TOGETHER)
def test_what_does_not_go_together_is_refused_by_name(environ):
    with pytest.raises(SettingError) as refusal:
        Settings.from_environ(environ)
    assert all(name in str(refusal.value) for name in environ)
    assert str(refusal.value).endswith(".")


def test_a_database_of_ones_own_needs_a_secret_key_that_is_shared():
    uri = {"MONGODB_URI": "mongodb://db.example.com/crm"}
    with pytest.raises(SettingError, match="SECRET_KEY is required when MONGODB_URI is set"):
        Settings.from_environ(uri)
    settings = Settings.from_environ({**uri, "SECRET_KEY": "sixteen or more letters"})
    assert not settings.embedded_mongodb


def test_without_any_setting_everything_is_embedded():
    settings = Settings.from_environ({})
    assert (settings.mongodb_uri, settings.redis_url, settings.mail_server) == (None, None, None)
    assert settings.embedded_mongodb
    assert settings.embedded_mail
    assert settings.bind == "127.0.0.1:8000"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert (settings.web_concurrency, settings.run_workers) == (2, True)
    assert (settings.progress_ttl_seconds, settings.job_lease_seconds) == (600, 10)
    assert (settings.metrics_token, settings.log_format) == (None, "text")
    assert (settings.email_connections, settings.email_batch) == (8, 50)
    assert (settings.email_sweep_seconds, settings.email_lease_seconds) == (30, 60)
    assert (settings.email_max_attempts, settings.email_retry_base_seconds) == (5, 30)
    assert settings.data_dir.name == "instance"


def test_values_are_read_as_people_write_them():
    settings = Settings.from_environ(
        {
            "PORT": " 9000 ",
            "BIND": "0.0.0.0",
            "RUN_WORKERS": "No",
            "MAIL_USE_TLS": "TRUE",
            "LOG_FORMAT": "JSON",
            "PUBLIC_URL": "https://crm.example.com/",
            "MONGODB_URI": "mongodb://a.example.com:27017,b.example.com:27018/crm?replicaSet=rs0",
            "SECRET_KEY": "sixteen or more letters",
            "REDIS_URL": "unix:///run/redis.sock",
            "WEB_CONCURRENCY": "",
        }
    )
    assert (settings.port, settings.bind) == (9000, "0.0.0.0:9000")
    assert settings.run_workers is False
    assert settings.mail_use_tls is True
    assert settings.log_format == "json"
    assert settings.public_url == "https://crm.example.com"
    assert settings.web_concurrency == 2


def test_a_file_is_read_and_the_environment_comes_before_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text('PORT=9001\nADMIN_EMAIL="ann@example.com"\n# a remark\nEMPTY\n')
    monkeypatch.delenv("PORT", raising=False)
    settings = Settings.from_environ()
    assert (settings.port, settings.admin_email) == (9001, "ann@example.com")
    monkeypatch.setenv("PORT", "9002")
    assert Settings.from_environ().port == 9002
