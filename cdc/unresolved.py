"""Columns that a mapping reads and a table does not have, found by asking a server to resolve the expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pymysql

from cdc.expression import quote
from cdc.mapping import TableMapping
from cdc.schema import Table
from cdc.session import Session

_UNKNOWN_COLUMN = 1054
_NAMED = re.compile(r"'([^']*)'")


def unresolved(target: Session, mappings: Iterable[TableMapping], table: Table) -> str | None:
    """``products.colour reads items.color``, of the first that can't be resolved; None when all can, or when the server
    refuses for another reason, which applying says better. ``target`` is where the expressions are evaluated."""
    row = ", ".join(f"NULL AS {quote(column)}" for column in table.columns)
    for mapping in mappings:
        expressions = {**mapping.expressions, **({"where": mapping.where} if mapping.where else {})}
        for name, expression in expressions.items():
            try:
                with target.cursor() as cursor:
                    cursor.execute(f"SELECT ({expression}) FROM (SELECT {row}) AS strangler_row LIMIT 0")
            except pymysql.err.MySQLError as error:
                if error.args and error.args[0] == _UNKNOWN_COLUMN:
                    named = _NAMED.search(str(error.args[-1]))
                    column = named.group(1).rpartition(".")[2] if named else "?"
                    return f"the mapping of {mapping.table}.{name} reads {table.name}.{column}"
    return None
