"""Cases: a column type, values at its boundaries, and what is to become of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

Kind = Literal["mysql", "mariadb"]
Pair = tuple[Kind, Kind]
PAIRS: tuple[Pair, ...] = (("mysql", "mysql"), ("mariadb", "mariadb"), ("mysql", "mariadb"))
EVERYWHERE: frozenset[Pair] = frozenset(PAIRS)
BOTH: frozenset[Kind] = frozenset({"mysql", "mariadb"})
MYSQL: frozenset[Kind] = frozenset({"mysql"})
MARIADB: frozenset[Kind] = frozenset({"mariadb"})
EQUAL, REFUSED, NO_TYPE = "equal", "refused", "no such type"


@dataclass(frozen=True, eq=False)
class Case:
    """``column`` is what stands behind the column's name in CREATE TABLE, ``values`` are SQL. ``target`` is the column
    of the new side where it can't be the same there. ``drawn`` draws further values, as SQL.

    ``key``: the column is the primary key. ``writes``: the values go into this column, because ``c`` is made of it;
    ``extra`` are further columns of the source. ``then`` are statements on ``{t}`` that run while the stream follows.
    ``lax``: its rows are written by sessions that let anything in, zero dates too. ``refused``: over which pairs such
    columns are refused."""

    name: str
    column: str
    values: tuple[str, ...]
    key: bool = False
    on: frozenset[Kind] = BOTH
    refused: frozenset[Pair] = frozenset()
    target: Mapping[Kind, str] = field(default_factory=dict)
    drawn: st.SearchStrategy[str] | None = None
    writes: str = "c"
    extra: str = ""
    then: tuple[str, ...] = ()
    lax: bool = False

    def expected(self, pair: Pair) -> str:
        return NO_TYPE if pair[0] not in self.on else REFUSED if pair in self.refused else EQUAL

    def column_at(self, kind: Kind) -> str:
        return self.target.get(kind, self.column)

    @property
    def type(self) -> str:
        """The bare type, in lower case."""
        return self.column.split("(")[0].split()[0].lower()


def draw(strategy: st.SearchStrategy[str], count: int, number: int) -> list[str]:
    """``count`` values at most, always the same ones for a ``number``; Hypothesis likes the strange ones."""
    found: dict[str, Any] = {}

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: str) -> None:
        found[value] = None

    collect()
    return list(found)[:count]


def text(value: str, charset: str = "utf8mb4") -> str:
    """As SQL that means the same in every SQL mode."""
    return f"_{charset} x'{value.encode().hex()}'" if value else "''"


def octets(value: bytes) -> str:
    return f"x'{value.hex()}'"
