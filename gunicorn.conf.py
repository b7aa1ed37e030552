"""gunicorn: gevent workers, and what each does when it starts and when it is told to stop."""

import sys

from config import SettingError, Settings

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


def post_worker_init(worker):
    """The background loops belong to the process that serves, so they start after the fork."""
    import threading

    from crmapp.background import Background
    from crmapp.live.blueprint import live

    app = worker.app.wsgi()
    _refuse_standalone(worker, app)
    background = Background(app) if _settings.run_workers else None
    if background:
        background.start()

    def stop_with_the_worker():
        # gunicorn waits for open requests before any clean-up of ours, and a stream never ends by itself.
        while worker.alive:
            pause.wait(0.1)
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
