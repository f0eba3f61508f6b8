"""Streams between fresh schemas."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from cdc.mapping import CapabilityMapping, TableMapping
from strangler.dev.server import PrivateServer
from tests.cdc.lab import ITEMS, PRODUCTS, Lab, engine_files, execute, one_table

MakeLab = Callable[..., Lab]


@pytest.fixture
def make_lab(fresh_schema, debezium_jars: list[Path], tmp_path: Path) -> MakeLab:  # type: ignore[no-untyped-def]
    """``make_lab(source_server, target_server, mapping..., source_sql=, target_sql=)``."""

    def make(
        source: PrivateServer,
        target: PrivateServer,
        *tables: TableMapping,
        source_sql: tuple[str, ...] = (ITEMS,),
        target_sql: tuple[str, ...] = (PRODUCTS,),
    ) -> Lab:
        legacy, new = fresh_schema(source), fresh_schema(target)
        execute(legacy, *source_sql)
        execute(new, *target_sql)
        mapping = CapabilityMapping(f"cap_{secrets.token_hex(3)}", tables or (one_table(),))
        return Lab(legacy, new, mapping, engine_files(debezium_jars, tmp_path / "engine"))

    return make
