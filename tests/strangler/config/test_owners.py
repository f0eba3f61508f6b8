"""Who owns which part of a table: contradictions and misspellings are named with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from strangler.config import ConfigError, load_text
from strangler.config.resolve import mapping

GOOD = """\
[project]
name = "shop"

[databases.legacy]
url = "mysql://u:p@127.0.0.1:3306/shop"

[databases.buying]
url = "mysql://u:p@127.0.0.1:3306/buying"

[databases.selling]
url = "mysql://u:p@127.0.0.1:3306/selling"

[legacy]
url = "http://127.0.0.1:8080"
database = "legacy"

[capability.buying]
url = "http://127.0.0.1:8081"
database = "buying"
routes = ["GET /orders"]

[capability.buying.tables.purchases]
from = "orders"
key = { legacy_id = "id" }
columns = { state = "UPPER(state)" }
back = { id = "legacy_id", state = "LOWER(state)" }

[capability.buying.tables.stock]
from = "items"
key = { legacy_id = "id" }
columns = { availability = "status + 0", reserved_by = "reserved_by", title = "title" }
owns = ["status", "reserved_by"]
back = { id = "legacy_id", status = "availability", reserved_by = "reserved_by" }

[capability.buying.tables.prices]
from = "items"
key = { legacy_id = "id" }
columns = { price = "price" }
reference = true

[capability.buying.tables.outbox]
from = "mails"
key = { number = "message" }
append = true
back = { message = "number", body = "text" }

[capability.selling]
url = "http://127.0.0.1:8082"
database = "selling"
routes = ["GET /items"]

[capability.selling.tables.items]
from = "items"
key = { id = "id" }
columns = { title = "title" }
owns = ["title"]
back = { id = "id", title = "title" }
"""
CASES = [
    # what is replaced, by what, line, key below capability.buying.tables, words
    ('owns = ["status", "r', 'onws = ["status", "r', 32, "stock.onws", ["unknown key 'onws'", "did you mean 'owns'?"]),
    ('owns = ["status"', 'owns = ["stauts"', 32, "stock.owns[0]", ["back does not give 'stauts'", "'status'?"]),
    (', "reserved_by"]', ', "Status"]', 32, "stock.owns[1]", ["is there twice"]),
    ('"reserved_by"]', '"reserved_by", "id"]', 32, "stock.owns[2]", ["part of the key"]),
    (', "reserved_by"]', "]", 33, "stock.back.reserved_by", ["owns does not name it"]),
    (
        'reserved_by = "reserved_by", title',
        "title",
        32,
        "stock.owns[1]",
        ["no column of stock is made of 'reserved_by'"],
    ),
    (
        'back = { id = "legacy_id", status',
        "back = { status",
        33,
        "stock.back",
        ["which legacy row it is", "key is made of"],
    ),
    ('back = { id = "legacy_id", state', "back = { state", 26, "purchases.back", ["which legacy row it is"]),
    ("reference = true", 'reference = true\nback = { id = "legacy_id" }', 40, "prices.back", ["leave back out"]),
    ("reference = true", "reference = true\nappend = true", 40, "prices.append", ["contradict each other"]),
    ("reference = true", 'reference = "yes"', 39, "prices.reference", ["must be true or false"]),
    ("append = true", 'append = true\ncolumns = { text = "body" }', 45, "outbox.columns", ["of no use"]),
    ('back = { message = "number", body = "text" }\n', "", 44, "outbox.append", ["needs back"]),
]


@pytest.mark.parametrize(("old", "new", "line", "key", "words"), CASES, ids=[f"{c[3]}-{c[4][0][:20]}" for c in CASES])
def test_names_line_key_and_fix(old: str, new: str, line: int, key: str, words: list[str]) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load_text(GOOD.replace(old, new, 1), Path("strangler.toml"))
    problem = caught.value.problems[0]
    assert (problem.line, problem.key) == (line, f"capability.buying.tables.{key}"), str(caught.value)
    for word in words:
        assert word in str(problem), str(problem)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('owns = ["title"]\nback = { id = "id", title = "title" }', 'back = { id = "id", title = "title" }', "in part"),
        (
            'columns = { title = "title" }\nowns = ["title"]\nback = { id = "id", title = "title" }',
            'columns = { s = "status" }\nowns = ["status"]\nback = { id = "id", status = "s" }',
            "items.status is owned by buying.stock too",
        ),
    ],
)
def test_a_column_has_one_owner(old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(GOOD.replace(old, new, 1), Path("strangler.toml"))
    problem = caught.value.problems[0]
    assert problem.key.startswith("capability.selling.tables.items") and words in str(problem)


def test_the_good_one_says_what_belongs_to_whom() -> None:
    tables = mapping(load_text(GOOD, Path("strangler.toml")), "buying").tables
    assert [(one.owns, one.reference, one.append) for one in tables] == [
        ((), False, False),
        (("status", "reserved_by"), False, False),
        ((), True, False),
        ((), False, True),
    ]
