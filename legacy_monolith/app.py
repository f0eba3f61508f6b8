"""The Flask application, put together."""

from __future__ import annotations

from flask import Flask

from legacy_monolith.accounts import addresses, store_credit
from legacy_monolith.accounts import routes as accounts
from legacy_monolith.bags import routes as bags
from legacy_monolith.cart import routes as cart
from legacy_monolith.catalog import routes as catalog
from legacy_monolith.catalog import staff as catalog_staff
from legacy_monolith.checkout import routes as checkout
from legacy_monolith.favourites import routes as favourites
from legacy_monolith.notifications import routes as notifications
from legacy_monolith.orders import routes as orders
from legacy_monolith.promotions import routes as promotions
from legacy_monolith.returns import routes as returns
from legacy_monolith.shop import Shop
from legacy_monolith.web import errors, metrics, request_log, service

DOMAINS = (
    accounts,
    addresses,
    store_credit,
    bags,
    catalog,
    catalog_staff,
    favourites,
    cart,
    promotions,
    checkout,
    orders,
    returns,
    notifications,
    service,
)


def create_app(shop: Shop) -> Flask:
    app = Flask("legacy_monolith", static_folder=None)
    app.extensions["shop"] = shop
    request_log.install(app)
    errors.install(app)
    for domain in DOMAINS:
        app.register_blueprint(domain.blueprint)
    metrics.install(app)
    return app
