"""The gateway's ledger: SQLite, written durably before anything is answered."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('charge', 'refund', 'void')),
  idempotency_key TEXT NOT NULL,
  charge_id TEXT,
  amount_cents INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('captured', 'declined', 'refunded', 'voided')),
  reason TEXT,
  source TEXT,
  request_hash TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS charge_keys ON entries (idempotency_key) WHERE kind IN ('charge', 'void');
CREATE UNIQUE INDEX IF NOT EXISTS refund_keys ON entries (idempotency_key) WHERE kind = 'refund';
CREATE INDEX IF NOT EXISTS by_charge ON entries (charge_id);
"""

Kind = Literal["charge", "refund", "void"]


class KeyReused(Exception):
    """The idempotency key came with another request before."""


class UnknownCharge(Exception):
    """There is no captured charge of that id."""


class TooMuch(Exception):
    """A refund of more than is left of the charge."""


@dataclass(frozen=True)
class Entry:
    """One line of the ledger, never changed. ``seq`` grows by time."""

    seq: int
    id: str
    kind: str
    idempotency_key: str
    charge_id: str | None
    amount_cents: int
    status: str
    reason: str | None
    source: str | None
    created_at: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


COLUMNS = "seq, id, kind, idempotency_key, charge_id, amount_cents, status, reason, source, created_at"


class Ledger:
    """One file; many threads and processes may have it open. Each write is one transaction, synced to disk."""

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)
        self._local = threading.local()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._connection().executescript(SCHEMA)

    def charge(self, key: str, amount_cents: int, source: str) -> tuple[Entry, bool]:
        """(the charge, whether it is new). A voided key is declined. Raises KeyReused."""
        declined = _decline_reason(source)
        request = _digest("charge", str(amount_cents), source)
        status = "declined" if declined else "captured"
        return self._once("charge", key, request, amount_cents, status, declined, source, None)

    def void(self, key: str) -> Entry | None:
        """The charge made under the key before; None if there was none, and there will be none."""
        entry, _ = self._once("void", key, "void", 0, "voided", "voided", None, None)
        return entry if entry.kind == "charge" else None

    def import_charges(self, charges: Iterable[tuple[str, str, int, str, str]]) -> int:
        """Captured charges made elsewhere, each (id, key, cents, source, time); how many were new. One transaction."""
        connection = self._connection()
        before = connection.total_changes
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT INTO entries"
                " (id, kind, idempotency_key, amount_cents, status, source, request_hash, created_at)"
                " VALUES (?, 'charge', ?, ?, 'captured', ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (
                    (charge_id, key, amount, source, _digest("charge", str(amount), source), when)
                    for charge_id, key, amount, source, when in charges
                ),
            )
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return connection.total_changes - before

    def refund(self, charge_id: str, key: str, amount_cents: int) -> tuple[Entry, bool]:
        """(the refund, whether it is new). Raises KeyReused, UnknownCharge, TooMuch."""
        request = _digest("refund", charge_id, str(amount_cents))
        return self._once("refund", key, request, amount_cents, "refunded", None, None, charge_id)

    def find(self, entry_id: str) -> Entry | None:
        return self._one("id = ?", entry_id)

    def by_key(self, key: str) -> Entry | None:
        """The charge (or void) made under the key."""
        return self._one("idempotency_key = ? AND kind IN ('charge', 'void')", key)

    def listing(self, kind: str | None, after: int, limit: int) -> list[Entry]:
        """In the order of writing, those with a ``seq`` above ``after``."""
        rows = self._connection().execute(
            f"SELECT {COLUMNS} FROM entries WHERE seq > ? AND (? IS NULL OR kind = ?) ORDER BY seq LIMIT ?",
            (after, kind, kind, limit),
        )
        return [Entry(*row) for row in rows]

    def balance(self) -> dict[str, int]:
        """Counts and sums of everything."""
        row = self._connection().execute(
            "SELECT COALESCE(SUM(kind = 'charge' AND status = 'captured'), 0), COALESCE(SUM(kind = 'refund'), 0),"
            " COALESCE(SUM(CASE WHEN status = 'captured' THEN amount_cents END), 0),"
            " COALESCE(SUM(CASE WHEN kind = 'refund' THEN amount_cents END), 0) FROM entries"
        )
        names = ("charges", "refunds", "charged_cents", "refunded_cents")
        return dict(zip(names, row.fetchone(), strict=True))

    def _once(
        self,
        kind: Kind,
        key: str,
        request: str,
        amount_cents: int,
        status: str,
        reason: str | None,
        source: str | None,
        charge_id: str | None,
    ) -> tuple[Entry, bool]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            kinds = "('refund')" if kind == "refund" else "('charge', 'void')"
            before = connection.execute(
                f"SELECT request_hash, {COLUMNS} FROM entries WHERE idempotency_key = ? AND kind IN {kinds}", (key,)
            ).fetchone()
            if before is not None:
                entry = Entry(*before[1:])
                if kind == entry.kind and before[0] != request:
                    raise KeyReused(key)
                return entry, False
            if kind == "refund":
                self._check_left(charge_id or "", amount_cents)
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            prefix = {"charge": "ch", "refund": "re", "void": "vo"}[kind]
            entry_id = f"{prefix}_{_digest(kind, key)[:24]}"
            cursor = connection.execute(
                "INSERT INTO entries (id, kind, idempotency_key, charge_id, amount_cents, status, reason, source,"
                " request_hash, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (entry_id, kind, key, charge_id, amount_cents, status, reason, source, request, now),
            )
            seq = cursor.lastrowid or 0
            return Entry(seq, entry_id, kind, key, charge_id, amount_cents, status, reason, source, now), True
        finally:
            # after an exception nothing was written: committing an empty transaction only ends it
            connection.execute("COMMIT")

    def _check_left(self, charge_id: str, amount_cents: int) -> None:
        charged = self.find(charge_id)
        if charged is None or charged.status != "captured":
            raise UnknownCharge(charge_id)
        row = self._connection().execute(
            "SELECT COALESCE(SUM(amount_cents), 0) FROM entries WHERE charge_id = ? AND kind = 'refund'", (charge_id,)
        )
        if row.fetchone()[0] + amount_cents > charged.amount_cents:
            raise TooMuch(charge_id)

    def _one(self, where: str, value: str) -> Entry | None:
        row = self._connection().execute(f"SELECT {COLUMNS} FROM entries WHERE {where}", (value,)).fetchone()
        return Entry(*row) if row else None

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._local.connection = connection
        return connection


def _decline_reason(source: str) -> str | None:
    """Test cards, as gateways have them: ``tok_declined`` and ``tok_insufficient_funds`` are refused."""
    return {"tok_declined": "card declined", "tok_insufficient_funds": "insufficient funds"}.get(source)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
