"""What the processes of the shop read from their environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(Exception):
    """A variable is missing or can't be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Read once per process, passed on from there."""

    database_url: str
    redis_url: str
    gateway_url: str
    gateway_timeout_seconds: float = 10.0
    reservation_minutes: int = 15
    argon2_time_cost: int = 1
    argon2_memory_kib: int = 1024
    pool_size: int = 10
    jobs_interval_seconds: float = 1.0
    markdown_interval_seconds: float = 300.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Raises SettingsError naming the variable that is missing or not a number."""
        values = os.environ if environment is None else environment
        return cls(
            database_url=database_url(values),
            redis_url=_required(values, "REDIS_URL", "redis://127.0.0.1:6379/0"),
            gateway_url=_required(values, "PAYMENT_GATEWAY_URL", "http://127.0.0.1:8001").rstrip("/"),
            gateway_timeout_seconds=_number(values, "PAYMENT_GATEWAY_TIMEOUT_SECONDS", cls.gateway_timeout_seconds),
            reservation_minutes=int(_number(values, "RESERVATION_MINUTES", cls.reservation_minutes)),
            argon2_time_cost=int(_number(values, "ARGON2_TIME_COST", cls.argon2_time_cost)),
            argon2_memory_kib=int(_number(values, "ARGON2_MEMORY_KIB", cls.argon2_memory_kib)),
            pool_size=int(_number(values, "DATABASE_POOL_SIZE", cls.pool_size)),
            jobs_interval_seconds=_number(values, "JOBS_INTERVAL_SECONDS", cls.jobs_interval_seconds),
            markdown_interval_seconds=_number(values, "MARKDOWN_INTERVAL_SECONDS", cls.markdown_interval_seconds),
        )


def database_url(values: Mapping[str, str] | None = None) -> str:
    """DATABASE_URL with PyMySQL as driver, whichever of mysql:// or mysql+pymysql:// was given."""
    url = _required(
        os.environ if values is None else values, "DATABASE_URL", "mysql+pymysql://user:password@host:3306/shop"
    )
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("mysql", "mariadb"):
        raise SettingsError("DATABASE_URL must be a MySQL url: mysql+pymysql://user:password@host:3306/shop")
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
        return float(written)
    except ValueError as error:
        raise SettingsError(f"{name} must be a number, not {written!r}") from error
