"""``gunicorn legacy_monolith.gateway.wsgi:app`` with GATEWAY_LEDGER=path/of/the/ledger.db"""

from __future__ import annotations

import os

from legacy_monolith.gateway.app import create_gateway
from legacy_monolith.gateway.ledger import Ledger
from legacy_monolith.settings import SettingsError

if not os.environ.get("GATEWAY_LEDGER"):
    raise SettingsError("GATEWAY_LEDGER is not set: the path of the ledger's SQLite file")

app = create_gateway(Ledger(os.environ["GATEWAY_LEDGER"]))
