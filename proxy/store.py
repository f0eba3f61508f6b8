"""Versions of the flags, kept in a database: who changed what, when and why."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    bindparam,
    create_engine,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from proxy.flags import Flag, FlagSet, Hold
from proxy.routes import Side

BUSY_TIMEOUT_MS = 5_000

metadata = MetaData()
_Long = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_Time = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")

versions = Table(
    "flag_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("base", Integer, nullable=False),  # the version it was made from
    Column("actor", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("at", _Time, nullable=False),  # UTC
    Column("outcome", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("flags", _Long, nullable=False),
)


class Outcome(StrEnum):
    """What became of a version."""

    PENDING = "pending"  # committed, not yet acknowledged by every connected proxy
    APPLIED = "applied"  # acknowledged by every connected proxy
    REFUSED = "refused"  # a proxy refused it; the version before stayed


# Both from the end of the primary key: the number of versions grows for ever.
_NEWEST = select(versions.c.version).order_by(versions.c.version.desc()).limit(1)
_NUMBERS = select(
    func.coalesce(_NEWEST.scalar_subquery(), 0),
    func.coalesce(_NEWEST.where(versions.c.outcome != Outcome.REFUSED).scalar_subquery(), 0),
)
_INSERT = insert(versions)
_SETTLE = update(versions).where(versions.c.version == bindparam("settled"))


@dataclass(frozen=True)
class Change:
    """One version and its history."""

    version: int
    base: int
    actor: str
    reason: str
    action: str
    at: datetime  # UTC
    outcome: Outcome
    detail: str  # why it was refused; empty otherwise
    flags: FlagSet


class Conflict(Exception):
    """Somebody else made a version in between: ``expected`` was read, ``found`` is the current one."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"the flags are at version {found}, not {expected}: read them again and repeat the change")
        self.expected = expected
        self.found = found


def engine_for(url: str) -> Engine:
    """An engine fit for the store: SQLite in WAL with short commits, or MySQL (``mysql://`` means PyMySQL)."""
    parsed = make_url(url)
    if parsed.drivername in ("mysql", "mariadb"):
        parsed = parsed.set(drivername="mysql+pymysql")
    engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # In WAL with NORMAL a committed version survives the death of the process, at a fifth of a millisecond a commit.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", f"busy_timeout = {BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class FlagStore:
    """Every change of the flags is a new version; nothing is overwritten. Blocking, about a millisecond a call."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create(self) -> None:
        """Make the tables if they are missing."""
        metadata.create_all(self.engine)

    def current(self) -> FlagSet:
        """The newest version that wasn't refused; version 0 with no flags in an empty store."""
        newest = (
            select(versions.c.version, versions.c.flags)
            .where(versions.c.outcome != Outcome.REFUSED)
            .order_by(versions.c.version.desc())
            .limit(1)
        )
        with self.engine.connect() as connection:
            row = connection.execute(newest).one_or_none()
        return FlagSet(0) if row is None else decode(row.version, row.flags)

    def at(self, version: int) -> FlagSet:
        """That version. Raises KeyError when there is none."""
        if version == 0:
            return FlagSet(0)
        with self.engine.connect() as connection:
            row = connection.execute(select(versions.c.flags).where(versions.c.version == version)).one_or_none()
        if row is None:
            raise KeyError(f"there is no version {version}")
        return decode(version, row.flags)

    def history(self, limit: int = 100) -> list[Change]:
        """The newest changes first."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(versions).order_by(versions.c.version.desc()).limit(limit)).all()
        return [_change(row) for row in rows]

    def commit(self, flags: FlagSet, *, expected: int, actor: str, reason: str, action: str) -> FlagSet:
        """Store as the next version (returned with its number), pending. Raises Conflict if ``expected`` isn't current,
        ValueError without an actor or a reason."""
        for word, given in (("an actor", actor), ("a reason", reason)):
            if not given.strip():
                raise ValueError(f"{word} is needed, it goes into the audit")
        text = encode(flags)
        try:
            with self.engine.begin() as connection:
                newest, found = connection.execute(_NUMBERS).one()
                if found != expected:
                    raise Conflict(expected, found)
                connection.execute(
                    _INSERT,
                    {
                        "version": newest + 1,
                        "base": expected,
                        "actor": actor,
                        "reason": reason,
                        "action": action,
                        "at": datetime.now(UTC).replace(tzinfo=None),
                        "outcome": Outcome.PENDING,
                        "detail": "",
                        "flags": text,
                    },
                )
        except IntegrityError as error:
            # Two writers read the same newest version; the primary key let one of them through.
            raise Conflict(expected, self.current().version) from error
        return replace(flags, version=newest + 1)

    def settle(self, version: int, outcome: Outcome, detail: str = "") -> None:
        """Write down what became of a version."""
        with self.engine.begin() as connection:
            connection.execute(_SETTLE, {"settled": version, "outcome": outcome, "detail": detail})


def encode(flags: FlagSet) -> str:
    """JSON: equal flags once, with the routes that have them, then the holds. Defaults are left out."""
    # By identity first: routes of a capability mostly share one flag, and to hash a flag is dear.
    same: dict[int, tuple[Flag, list[str]]] = {}
    for route, flag in flags.flags.items():
        same.setdefault(id(flag), (flag, []))[1].append(route)
    groups: dict[Flag, list[str]] = {}
    for flag, routes in same.values():
        groups.setdefault(flag, []).extend(routes)
    groups.pop(Flag(), None)
    entries: list[dict[str, Any]] = [{**_as_dict(flag), "routes": routes} for flag, routes in groups.items()]
    entries += [{"hold": capability, **asdict(hold)} for capability, hold in flags.holds.items()]
    return json.dumps(entries, separators=(",", ":"))


def decode(version: int, text: str) -> FlagSet:
    """The reverse of ``encode``."""
    found: dict[str, Flag] = {}
    holds: dict[str, Hold] = {}
    for entry in json.loads(text):
        if "hold" in entry:
            released = entry["released_to"]
            holds[entry["hold"]] = Hold(entry["epoch"], entry["timeout_ms"], Side(released) if released else None)
            continue
        flag = Flag(
            percent=entry["percent"],
            shadow_percent=entry["shadow_percent"],
            pin=None if entry["pin"] is None else Side(entry["pin"]),
            cohorts=frozenset(entry["cohorts"]),
            fallback=entry["fallback"],
        )
        found.update(dict.fromkeys(entry["routes"], flag))
    return FlagSet(version, found, holds)


def _as_dict(flag: Flag) -> dict[str, Any]:
    return {
        "percent": flag.percent,
        "shadow_percent": flag.shadow_percent,
        "pin": flag.pin,
        "cohorts": sorted(flag.cohorts),
        "fallback": flag.fallback,
    }


def _change(row: Row[Any]) -> Change:
    return Change(
        version=row.version,
        base=row.base,
        actor=row.actor,
        reason=row.reason,
        action=row.action,
        at=row.at.replace(tzinfo=UTC),
        outcome=Outcome(row.outcome),
        detail=row.detail,
        flags=decode(row.version, row.flags),
    )
