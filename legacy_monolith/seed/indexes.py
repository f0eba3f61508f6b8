"""Secondary indexes of a table, put aside during a big load and built again in one go, which is much faster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from legacy_monolith.seed.loader import Loader

_KEY = re.compile(r"\s*((?:UNIQUE |FULLTEXT )?KEY `(\w+)`.*?),?\s*$")
_FOREIGN = re.compile(r"\s*(CONSTRAINT `(\w+)` FOREIGN KEY.*?),?\s*$")


@contextmanager
def put_aside(loader: Loader, tables: Sequence[str]) -> Iterator[None]:
    """Inside, the tables have only their primary keys. They are put back whatever happens short of a killed process
    (after which the schema has to be made anew: it is half filled anyway)."""
    aside: dict[str, tuple[list[str], list[str]]] = {}
    try:
        for table in tables:
            aside[table] = _drop(loader, table)
        yield
    finally:
        for table, (keys, foreign) in aside.items():
            _add(loader, table, keys, foreign)


def _drop(loader: Loader, table: str) -> tuple[list[str], list[str]]:
    """(the definitions of its keys, of its foreign keys), as SHOW CREATE TABLE says them."""
    lines = loader.execute(f"SHOW CREATE TABLE {table}")[0][1].splitlines()
    keys = [found.groups() for line in lines if (found := _KEY.match(line))]
    foreign = [found.groups() for line in lines if (found := _FOREIGN.match(line))]
    drops = [f"DROP FOREIGN KEY `{name}`" for _, name in foreign] + [f"DROP INDEX `{name}`" for _, name in keys]
    if drops:
        loader.execute(f"ALTER TABLE {table} {', '.join(drops)}")
    return [definition for definition, _ in keys], [definition for definition, _ in foreign]


def _add(loader: Loader, table: str, keys: Sequence[str], foreign: Sequence[str]) -> None:
    # a full-text index can't be built together with others
    plain = [f"ADD {key}" for key in keys if not key.startswith("FULLTEXT")]
    if plain:
        loader.execute(f"ALTER TABLE {table} {', '.join(plain)}")
    for key in keys:
        if key.startswith("FULLTEXT"):
            loader.execute(f"ALTER TABLE {table} ADD {key}")
    if foreign:
        loader.execute(f"ALTER TABLE {table} {', '.join(f'ADD {each}' for each in foreign)}")
