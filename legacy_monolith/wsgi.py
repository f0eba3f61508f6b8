"""``gunicorn legacy_monolith.wsgi:app`` with DATABASE_URL, REDIS_URL and PAYMENT_GATEWAY_URL."""

from __future__ import annotations

from legacy_monolith.web.metrics_folder import share_between_workers

# before anything imports prometheus_client, which looks at the environment then
share_between_workers()

from legacy_monolith.app import create_app  # noqa: E402
from legacy_monolith.settings import Settings  # noqa: E402
from legacy_monolith.shop import Shop  # noqa: E402

app = create_app(Shop.open(Settings.from_environment()))
