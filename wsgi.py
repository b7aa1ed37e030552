"""What gunicorn and `flask` load."""

import sys

from config import SettingError
from crmapp.app import create_app
from crmapp.local import LocalError

try:
    app = create_app()
except (SettingError, LocalError) as error:
    sys.exit(f"crmapp: {error}")
