"""A small generic pair of schemas with one table of each kind, for tests of ownership."""

from __future__ import annotations

from cdc.database import Database
from cdc.mapping import CapabilityMapping, TableMapping
from cdc.ownership.side import Sides
from tests.cdc.lab import execute

ORDERS = TableMapping(
    "purchases",
    "orders",
    {"legacy_id": "id"},
    {"state": "UPPER(state)", "cents": "CAST(ROUND(total * 100) AS SIGNED)"},
    back={"id": "legacy_id", "state": "LOWER(state)", "total": "CAST(cents / 100 AS DECIMAL(10,2))"},
)
STOCK = TableMapping(
    "stock",
    "items",
    {"legacy_id": "id"},
    {"availability": "ELT(status + 1, 'listed', 'reserved', 'sold')", "reserved_by": "reserved_by", "title": "title"},
    back={
        "id": "legacy_id",
        "status": "FIELD(availability, 'listed', 'reserved', 'sold') - 1",
        "reserved_by": "reserved_by",
    },
    owns=("status", "reserved_by"),
)
PRICES = TableMapping("prices", "items", {"legacy_id": "id"}, {"price": "price"}, reference=True)
MAILS = TableMapping(
    "outbox", "mails", {"number": "message"}, {}, back={"message": "number", "body": "text"}, append=True
)
LEGACY = (
    """CREATE TABLE orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, state VARCHAR(20) NOT NULL,
        total DECIMAL(10,2) NOT NULL, note VARCHAR(50) NULL) CHARACTER SET utf8mb4""",
    """CREATE TABLE items (id BIGINT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(80) NOT NULL, price INT NOT NULL,
        status TINYINT NOT NULL DEFAULT 0, reserved_by VARCHAR(40) NULL, changes INT NOT NULL DEFAULT 0)
        CHARACTER SET utf8mb4""",
    "CREATE TRIGGER count_changes BEFORE UPDATE ON items FOR EACH ROW SET NEW.changes = OLD.changes + 1",
    """CREATE TABLE mails (id BIGINT PRIMARY KEY AUTO_INCREMENT, message VARCHAR(40) NOT NULL UNIQUE,
        body TEXT NOT NULL, sent TINYINT NOT NULL DEFAULT 0) CHARACTER SET utf8mb4""",
)
NEW = (
    """CREATE TABLE purchases (legacy_id BIGINT PRIMARY KEY AUTO_INCREMENT, state VARCHAR(20) NOT NULL,
        cents BIGINT NOT NULL, own INT NOT NULL DEFAULT 7) CHARACTER SET utf8mb4""",
    """CREATE TABLE stock (legacy_id BIGINT PRIMARY KEY, availability VARCHAR(20) NOT NULL,
        reserved_by VARCHAR(40) NULL, title VARCHAR(80) NULL) CHARACTER SET utf8mb4""",
    "CREATE TABLE prices (legacy_id BIGINT PRIMARY KEY, price INT NOT NULL)",
    """CREATE TABLE outbox (id BIGINT PRIMARY KEY AUTO_INCREMENT, number VARCHAR(40) NOT NULL, text TEXT NOT NULL)
        CHARACTER SET utf8mb4""",
)


def mapping(capability: str) -> CapabilityMapping:
    return CapabilityMapping(capability, (ORDERS, STOCK, PRICES, MAILS))


def make(legacy: Database, new: Database) -> Sides:
    """The tables of both sides, empty."""
    execute(legacy, *LEGACY)
    execute(new, *NEW)
    return Sides(legacy, new)
