"""Where a database is and how to log in to it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit


@dataclass(frozen=True)
class Database:
    """One schema on one MySQL or MariaDB server, with the account the stream uses."""

    host: str
    port: int
    user: str
    password: str
    schema: str

    @classmethod
    def from_url(cls, url: str) -> Database:
        """``mysql://user:password@host:port/schema``. Raises ValueError naming what is missing (never the password)."""
        parts = urlsplit(url)
        schema = parts.path.lstrip("/")
        if parts.scheme.split("+")[0] not in ("mysql", "mariadb"):
            raise ValueError(f"a database url starts with mysql:// or mariadb://, not {parts.scheme!r}")
        if not parts.hostname or not parts.username or not schema:
            raise ValueError("a database url is mysql://user:password@host:port/schema")
        return cls(parts.hostname, parts.port or 3306, unquote(parts.username), unquote(parts.password or ""), schema)

    @property
    def url(self) -> str:
        """For SQLAlchemy: ``mysql+pymysql://...``."""
        return (
            f"mysql+pymysql://{quote(self.user, safe='')}:{quote(self.password, safe='')}"
            f"@{self.host}:{self.port}/{self.schema}"
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.schema}"
