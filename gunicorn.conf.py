"""gunicorn: gevent workers, and what each does when it starts and when it is told to stop."""

import os
import shutil
import sys

from gunicorn import glogging

from config import SettingError, Settings
from crmapp import logs

# Nothing here may import pymongo or the application: gunicorn reads this before gevent has patched anything.
try:
    _settings = Settings.from_environ()
except SettingError as error:
    sys.exit(f"crmapp: {error}")
WORKER_BOOT_ERROR = 3  # gunicorn ends, and does not try again for ever

bind = _settings.bind
workers = _settings.web_concurrency
worker_class = "gevent"
worker_connections = 10_000
wsgi_app = "wsgi:app"
graceful_timeout = 10
# An idle connection keeps a worker that was told to stop waiting for this long.
keepalive = 2
backlog = 4096
# The settings' own check of MongoDB and the embedded servers may take this long at a worker's start.
timeout = 60
preload_app = False
control_socket_disable = True
logconfig_dict = logs.config(_settings.log_format)

# What the worker processes count is kept in files, of which each process reads all. One directory for each gunicorn.
_counted = _settings.data_dir / "metrics" / _settings.bind.rpartition(":")[2]
if _settings.metrics_token:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_counted)


class Logger(glogging.Logger):
    """gunicorn's, but it puts no access lines together: the application writes its own, which say who asked."""

    def access(self, resp, req, environ, request_time):
        pass


logger_class = Logger


def on_starting(server):
    """Counting begins anew with each gunicorn."""
    if not _settings.metrics_token:
        return
    shutil.rmtree(_counted, ignore_errors=True)
    try:
        _settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _counted.mkdir(parents=True)
    except OSError as error:
        sys.exit(f"crmapp: METRICS_TOKEN needs a DATA_DIR that can be written to. ({error})")


def child_exit(server, worker):
    """What prometheus_client.multiprocess.mark_process_dead does. Imported here, it would be in the next worker before
    gevent has patched anything."""
    for file in _counted.glob(f"gauge_live*_{worker.pid}.db"):
        file.unlink(missing_ok=True)


def post_worker_init(worker):
    """The background loops belong to the process that serves, so they start after the fork."""
    import logging
    import threading

    from crmapp.alerts.watch import Watch
    from crmapp.background import Background
    from crmapp.live.blueprint import live

    # --log-level is for the application's lines too.
    logging.getLogger("crmapp").setLevel(worker.log.loglevel)
    app = worker.app.wsgi()
    _refuse_standalone(worker, app)
    background = Background(app) if _settings.run_workers else None
    if background:
        background.start()
    watch = Watch(app)
    watch.start()

    def stop_with_the_worker():
        # gunicorn waits for open requests before any clean-up of ours, and a stream never ends by itself.
        while worker.alive:
            pause.wait(0.1)
        watch.stop()
        with app.app_context():
            live.hub.stop()
        if background:
            background.stop(timeout=3.0)

    pause = threading.Event()
    stopper = threading.Thread(target=stop_with_the_worker, name="stopper")
    stopper.start()
    worker.stopper = stopper


def _refuse_standalone(worker, app):
    """Without transactions nothing here can be promised. One that does not answer may yet come: pages say so."""
    from pymongo.errors import PyMongoError

    from crmapp.database import StandaloneError, require_replica_set

    try:
        require_replica_set(app.extensions["database"])
    except StandaloneError as error:
        worker.log.critical("%s", error)
        sys.exit(WORKER_BOOT_ERROR)
    except PyMongoError as error:
        worker.log.error("MongoDB does not answer; check MONGODB_URI. (%s)", error)


def worker_exit(server, worker):
    """Leave only after the loops have given back what they hold."""
    stopper = getattr(worker, "stopper", None)
    if stopper is not None:
        stopper.join(timeout=4.0)
