"""Three tables that hold what streams find hard, and their other side."""

from __future__ import annotations

from cdc.mapping import CapabilityMapping, TableMapping

CAPABILITY = "torture"

LEGACY = (
    """CREATE TABLE accounts (id BIGINT PRIMARY KEY, email VARCHAR(80) NOT NULL, balance DECIMAL(12,2) NOT NULL,
        changes INT NOT NULL DEFAULT 0, UNIQUE KEY (email)) CHARACTER SET utf8mb4""",
    """CREATE TABLE entries (account_id BIGINT NOT NULL, seq INT NOT NULL, amount DECIMAL(10,2) NOT NULL,
        note VARCHAR(100), PRIMARY KEY (account_id, seq)) CHARACTER SET utf8mb4""",
    """CREATE TABLE labels (name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY,
        uses INT NOT NULL)""",
)
NEW = (
    """CREATE TABLE customers (legacy_id BIGINT PRIMARY KEY, email VARCHAR(80) NOT NULL, balance_cents BIGINT NOT NULL,
        changes INT NOT NULL, own INT NOT NULL DEFAULT 7, UNIQUE KEY (email)) CHARACTER SET utf8mb4""",
    """CREATE TABLE customer_lines (customer BIGINT NOT NULL, line INT NOT NULL, cents BIGINT NOT NULL,
        note VARCHAR(100), PRIMARY KEY (customer, line)) CHARACTER SET utf8mb4""",
    """CREATE TABLE tags (name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY,
        uses INT NOT NULL)""",
)

MAPPING = CapabilityMapping(
    CAPABILITY,
    (
        TableMapping(
            "customers",
            "accounts",
            {"legacy_id": "id"},
            {"email": "email", "balance_cents": "CAST(ROUND(balance * 100) AS SIGNED)", "changes": "changes"},
        ),
        TableMapping(
            "customer_lines",
            "entries",
            {"customer": "account_id", "line": "seq"},
            {"cents": "CAST(ROUND(amount * 100) AS SIGNED)", "note": "note"},
        ),
        TableMapping("tags", "labels", {"name": "name"}, {"uses": "uses"}),
    ),
)

#: The same rows in the same form, asked of the two sides; HEX, so that no collation calls different text equal.
SAME = {
    "accounts": (
        "SELECT id, HEX(email), CAST(ROUND(balance * 100) AS SIGNED), changes FROM accounts ORDER BY id",
        "SELECT legacy_id, HEX(email), balance_cents, changes FROM customers ORDER BY legacy_id",
    ),
    "entries": (
        "SELECT account_id, seq, CAST(ROUND(amount * 100) AS SIGNED), HEX(note) FROM entries ORDER BY account_id, seq",
        "SELECT customer, line, cents, HEX(note) FROM customer_lines ORDER BY customer, line",
    ),
    "labels": (
        "SELECT HEX(name), uses FROM labels ORDER BY 1",
        "SELECT HEX(name), uses FROM tags ORDER BY 1",
    ),
}
