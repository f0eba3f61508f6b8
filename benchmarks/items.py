"""The table that rows are streamed and compared of: 13 columns, and a mapping that changes most types."""

from __future__ import annotations

from cdc.mapping import TableMapping

LEGACY = """
    CREATE TABLE items (id INT PRIMARY KEY, title VARCHAR(200) NOT NULL, description TEXT, brand_id INT,
    price DECIMAL(10,2) NOT NULL, status SMALLINT NOT NULL, created_at DATETIME NOT NULL,
    updated_at DATETIME(6) NOT NULL, weight DOUBLE, tags VARCHAR(200) NOT NULL, active TINYINT NOT NULL,
    sku CHAR(12) NOT NULL, stock INT NOT NULL) DEFAULT CHARSET utf8mb4
"""
COLUMNS = (
    *("title", "description", "brand_id", "price", "status", "created_at", "updated_at", "weight", "tags", "active"),
    *("sku", "stock"),
)  # of LEGACY, without its key
NEW = """
    CREATE TABLE catalog_items (legacy_id BIGINT PRIMARY KEY, title VARCHAR(200) NOT NULL, description TEXT,
    brand_id BIGINT, price_cents BIGINT NOT NULL, status VARCHAR(20) NOT NULL, created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL, weight DOUBLE, tags VARCHAR(200) NOT NULL, active BOOLEAN NOT NULL,
    sku VARCHAR(12) NOT NULL, stock BIGINT NOT NULL) DEFAULT CHARSET utf8mb4
"""
MAPPING = TableMapping(
    table="catalog_items",
    source="items",
    key={"legacy_id": "id"},
    columns={
        "title": "TRIM(title)",
        "description": "description",
        "brand_id": "brand_id",
        "price_cents": "CAST(price * 100 AS SIGNED)",
        "status": "ELT(status + 1, 'processing', 'listed', 'reserved', 'sold', 'returned', 'withdrawn')",
        "created_at": "created_at + INTERVAL 8 HOUR",
        "updated_at": "updated_at",
        "weight": "weight",
        "tags": "tags",
        "active": "active",
        "sku": "sku",
        "stock": "stock",
    },
)
_ROW = """
    n, CONCAT('Item number ', n, ' é '), REPEAT(CONCAT('words ', n MOD 97, ' '), 6), n MOD 997, (n MOD 100000) / 100,
    n MOD 6, '2020-01-01' + INTERVAL n SECOND, '2021-01-01' + INTERVAL n * 1000003 MICROSECOND, SQRT(n),
    CONCAT('a', n MOD 13, ',b', n MOD 7), n MOD 2, LPAD(n, 12, '0'), n MOD 11
"""
_DIGITS = " UNION ALL ".join(f"SELECT {n} AS d" for n in range(10))


def insert(first: int, last: int) -> str:
    """An INSERT of the legacy rows with these ids and all between, at most 100,000."""
    places = range(len(str(last - first)))
    digits = ", ".join(f"({_DIGITS}) d{place}" for place in places)
    numbers = " + ".join(f"d{place}.d * {10**place}" for place in places)
    return (
        f"INSERT INTO items SELECT {_ROW} FROM (SELECT {first} + {numbers} AS n FROM {digits}) numbers"
        f" WHERE n <= {last} ORDER BY n"
    )
