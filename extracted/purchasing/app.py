"""The Flask application, put together."""

from __future__ import annotations

from flask import Flask

from extracted.purchasing.bags import routes as bags
from extracted.purchasing.cart import routes as cart
from extracted.purchasing.checkout import routes as checkout
from extracted.purchasing.credit import routes as credit
from extracted.purchasing.items import routes as items
from extracted.purchasing.orders import routes as orders
from extracted.purchasing.returns import routes as returns
from extracted.purchasing.service import Service
from extracted.purchasing.web import errors, metrics

DOMAINS = (cart, checkout, orders, returns, credit, bags, items)


def create_app(service: Service) -> Flask:
    app = Flask("extracted.purchasing", static_folder=None)
    app.extensions["service"] = service
    errors.install(app)
    for domain in DOMAINS:
        app.register_blueprint(domain.blueprint)
    metrics.install(app, service)
    return app
