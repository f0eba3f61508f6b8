"""What a process of the service is made of; made once, at its start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from extracted.purchasing.database import Database
from extracted.purchasing.gateway import Gateway
from extracted.purchasing.settings import Settings
from extracted.purchasing.shop import Shop


def go_on(point: str) -> None:
    """Nothing happens at any point of a purchase, outside of tests."""


@dataclass(frozen=True)
class Service:
    """The composition root's product; views and jobs get it, nothing is global.

    ``at`` is called at the named points of a purchase and of a refund (``checkout.purchase``, ``returns.refund``):
    between two transactions, where a process may die. Tests die there.
    """

    settings: Settings
    database: Database
    gateway: Gateway
    shop: Shop
    at: Callable[[str], None] = go_on

    @classmethod
    def open(cls, settings: Settings, at: Callable[[str], None] = go_on) -> Service:
        """Connects to nothing yet: connections are made when they are first needed."""
        return cls(
            settings=settings,
            database=Database(settings.database_url, settings.pool_size),
            gateway=Gateway(settings.gateway_url, settings.gateway_timeout_seconds),
            shop=Shop(settings.shop_url, settings.shop_timeout_seconds),
            at=at,
        )

    def close(self) -> None:
        self.database.close()
        self.gateway.close()
        self.shop.close()
