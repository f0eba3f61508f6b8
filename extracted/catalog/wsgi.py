"""gunicorn's entry and the service's composition root: ``gunicorn extracted.catalog.wsgi:app``."""

from __future__ import annotations

import sys

from extracted.catalog.app import create_app
from extracted.catalog.settings import Settings, SettingsError

try:
    app = create_app(Settings.from_environment())
except SettingsError as error:
    sys.exit(f"error: {error}")
