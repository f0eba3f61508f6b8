"""What the service's processes read from their environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(Exception):
    """A variable is missing or can't be used; the message names it and gives an example."""


@dataclass(frozen=True)
class Settings:
    """Read once per process. ``shop_url`` is where the monolith itself answers: it is asked for what our copies do not
    have yet. ``patience_seconds``: how long such a row is waited for once the monolith has said that it exists."""

    database_url: str
    shop_url: str
    gateway_url: str
    gateway_timeout_seconds: float = 10.0
    shop_timeout_seconds: float = 5.0
    patience_seconds: float = 3.0
    reservation_minutes: int = 15
    pool_size: int = 8
    jobs_interval_seconds: float = 1.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Raises SettingsError."""
        values = os.environ if environment is None else environment
        return cls(
            database_url=database_url(values),
            shop_url=_required(values, "SHOP_URL", "http://127.0.0.1:8000").rstrip("/"),
            gateway_url=_required(values, "PAYMENT_GATEWAY_URL", "http://127.0.0.1:8001").rstrip("/"),
            gateway_timeout_seconds=_number(values, "PAYMENT_GATEWAY_TIMEOUT_SECONDS", cls.gateway_timeout_seconds),
            shop_timeout_seconds=_number(values, "SHOP_TIMEOUT_SECONDS", cls.shop_timeout_seconds),
            patience_seconds=_number(values, "COPY_PATIENCE_SECONDS", cls.patience_seconds),
            reservation_minutes=int(_number(values, "RESERVATION_MINUTES", cls.reservation_minutes)),
            pool_size=int(_number(values, "DATABASE_POOL_SIZE", cls.pool_size)),
            jobs_interval_seconds=_number(values, "JOBS_INTERVAL_SECONDS", cls.jobs_interval_seconds),
        )


def database_url(values: Mapping[str, str] | None = None) -> str:
    """DATABASE_URL with PyMySQL as driver. Raises SettingsError."""
    url = (os.environ if values is None else values).get("DATABASE_URL", "")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("mysql", "mariadb"):
        what = "is not set" if not url else "is not a MySQL url"
        raise SettingsError(
            f"DATABASE_URL {what}, for example DATABASE_URL=mysql://user:password@127.0.0.1:3306/purchasing"
        )
    return f"mysql+pymysql://{rest}"


def _required(values: Mapping[str, str], name: str, example: str) -> str:
    if value := values.get(name):
        return value
    raise SettingsError(f"{name} is not set, for example {name}={example}")


def _number(values: Mapping[str, str], name: str, default: float) -> float:
    written = values.get(name)
    if not written:
        return default
    try:
        number = float(written)
    except ValueError as error:
        raise SettingsError(f"{name} must be a number, not {written!r}") from error
    if number < 0:
        raise SettingsError(f"{name} must be 0 or more, not {written}")
    return number
