"""What the service reads from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(Exception):
    """A variable is missing or can't be used; the message names it and gives an example."""


@dataclass(frozen=True)
class Settings:
    """Read once per process. ``tree_seconds``: how old the category tree may be before it is read again."""

    database_url: str
    pool_size: int = 8
    tree_seconds: float = 0.5

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Raises SettingsError."""
        values = os.environ if environment is None else environment
        return cls(
            database_url=_database_url(values),
            pool_size=int(_number(values, "DATABASE_POOL_SIZE", cls.pool_size)),
            tree_seconds=_number(values, "CATALOG_TREE_SECONDS", cls.tree_seconds),
        )


def _database_url(values: Mapping[str, str]) -> str:
    url = values.get("DATABASE_URL", "")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("mysql", "mariadb"):
        what = "is not set" if not url else "is not a MySQL url"
        raise SettingsError(
            f"DATABASE_URL {what}, for example DATABASE_URL=mysql://user:password@127.0.0.1:3306/catalog"
        )
    return f"mysql+pymysql://{rest}"


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
