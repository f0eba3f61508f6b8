"""gunicorn's entry and the service's composition root: ``gunicorn extracted.purchasing.wsgi:app``."""

from __future__ import annotations

import sys

from extracted.purchasing.app import create_app
from extracted.purchasing.service import Service
from extracted.purchasing.settings import Settings, SettingsError

try:
    app = create_app(Service.open(Settings.from_environment()))
except SettingsError as error:
    sys.exit(f"error: {error}")
