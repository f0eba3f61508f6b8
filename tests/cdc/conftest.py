"""Streams between fresh schemas."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cdc.mapping import CapabilityMapping, TableMapping
from cdc.source.hosting import Hosting, take_down
from strangler.dev.server import PrivateServer
from tests.cdc.lab import ITEMS, PRODUCTS, Lab, engine_files, execute, one_table

MakeLab = Callable[..., Lab]


@pytest.fixture
def hosting() -> str:
    """Where Debezium runs: ``embedded``, or what a test is parametrised with (``BOTH``)."""
    return "embedded"


@pytest.fixture
def make_lab(  # type: ignore[no-untyped-def]
    hosting: str, fresh_schema, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[MakeLab]:
    """``make_lab(source_server, target_server, mapping..., source_sql=, target_sql=)``."""
    made: list[Lab] = []

    def make(
        source: PrivateServer,
        target: PrivateServer,
        *tables: TableMapping,
        source_sql: tuple[str, ...] = (ITEMS,),
        target_sql: tuple[str, ...] = (PRODUCTS,),
    ) -> Lab:
        engine: Hosting
        if hosting == "kafka":
            engine = request.getfixturevalue("kafka").hosting
        else:
            engine = engine_files(request.getfixturevalue("debezium_jars"), tmp_path / "engine")
        legacy, new = fresh_schema(source), fresh_schema(target)
        execute(legacy, *source_sql)
        execute(new, *target_sql)
        mapping = CapabilityMapping(f"cap_{secrets.token_hex(3)}", tables or (one_table(),))
        made.append(Lab(legacy, new, mapping, engine))
        return made[-1]

    yield make
    for lab in made:
        take_down(lab.engine, lab.spec.name)
