"""The servers of a first run and of the tests: MongoDB, Valkey and a mail catcher on loopback.

They are used for each part whose address is not configured, and keep everything under DATA_DIR.
"""

from crmapp.local.server import LocalError
from crmapp.local.use import release, resolve

__all__ = ["LocalError", "release", "resolve"]
