"""The product's workers, for applications that it is compared with."""

import os

bind = f"127.0.0.1:{os.environ['PORT']}"
workers = 1
worker_class = "gevent"
worker_connections = 10_000
keepalive = 2
backlog = 4096
timeout = 60
control_socket_disable = True
