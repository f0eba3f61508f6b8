"""Unique values that move between rows of one batch: two rows swap theirs, one takes what another has given up.

Between the transactions of the source every row's unique values were free, but a statement that updates row by row
meets the old holder of a value before it has let go. So the holders among the batch's own rows are lifted out first,
with the columns that only the service owns, and put back as they are to be. A holder that is not in the batch stays:
that clash is real.

Pure: statements are text, made once per session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdc.apply.stage import quoted
from cdc.apply.write import Writer, alike
from cdc.mapping import Writes
from cdc.schema import Column

#: To run around the statements that take rows out: their children stay where they are, the rows come back at once.
UNCHECKED = "SET @strangler_checks = @@foreign_key_checks, SESSION foreign_key_checks = 0"
CHECKED = "SET SESSION foreign_key_checks = @strangler_checks"


@dataclass(frozen=True)
class Lift:
    """The statements for one writer. ``number`` tells its temporary table from others of the session."""

    writer: Writer
    number: int

    @classmethod
    def of(cls, writer: Writer, number: int) -> Lift | None:
        """None where nothing can move between rows, or where lifting a row could be felt elsewhere: a foreign key of
        another table points at a column that the stream changes."""
        whole = writer.mapping.writes is Writes.ROWS
        return cls(writer, number) if whole and _movable(writer) and not _felt(writer) else None

    @property
    def kept(self) -> str:
        return f"`strangler_kept_{self.number}`"

    @property
    def create(self) -> Sequence[str]:
        """Not inside a transaction. The server refuses it for a partitioned table (ER_PARTITION_NO_TEMPORARY)."""
        table = quoted(self.writer.mapping.table)
        return (f"DROP TEMPORARY TABLE IF EXISTS {self.kept}", f"CREATE TEMPORARY TABLE {self.kept} LIKE {table}")

    def take_out(self) -> list[str]:
        """Keep the holders that are in the batch; the last statement, to be run unchecked, takes them out."""
        writer = self.writer
        columns = [quoted(c.name) for c in writer.target.table.columns.values() if not c.generated]
        statements = [f"DELETE FROM {self.kept}"]
        for unique in _movable(writer):
            held = " AND ".join(f"t.{quoted(c)} = {alike(f'n.{quoted(c)}', _column(writer, c))}" for c in unique)
            # IGNORE: the same row may hold two values that others want
            statements.append(
                f"INSERT IGNORE INTO {self.kept} ({', '.join(columns)}) SELECT {', '.join(f't.{c}' for c in columns)}"
                f" FROM ({writer.rows}) n JOIN {quoted(writer.mapping.table)} t ON {held}"
                f" WHERE NOT ({writer.same('t', 'n')})"
            )
        first = quoted(next(iter(writer.mapping.key)))
        strangers = f"({writer.rows}) n ON {writer.same('k', 'n')} WHERE n.{first} IS NULL"
        statements.append(f"DELETE k FROM {self.kept} k LEFT JOIN {strangers}")
        table = quoted(writer.mapping.table)
        statements.append(f"DELETE t FROM {self.kept} k STRAIGHT_JOIN {table} t ON {writer.same('t', 'k')}")
        return statements

    def put_back(self) -> str:
        """Insert them as they are to be, after the rows that stayed were updated."""
        mapped, own = list(self.writer.mapping.expressions), _own(self.writer)
        columns = ", ".join(map(quoted, [*mapped, *own]))
        values = ", ".join([*(f"n.{quoted(c)}" for c in mapped), *(f"k.{quoted(c)}" for c in own)])
        return (
            f"INSERT INTO {quoted(self.writer.mapping.table)} ({columns}) SELECT {values}"
            f" FROM ({self.writer.rows}) n JOIN {self.kept} k ON {self.writer.same('n', 'k')}"
        )


def _movable(writer: Writer) -> list[tuple[str, ...]]:
    """The unique keys, besides the mapping's, whose values all come from the stream."""
    mapped = {column.lower() for column in writer.mapping.expressions}
    return [unique for unique in writer.target.others if {column.lower() for column in unique} <= mapped]


def _felt(writer: Writer) -> bool:
    changed = {column.lower() for column in writer.mapping.columns}
    return any(column.lower() in changed for column in writer.target.referenced)


def _own(writer: Writer) -> list[str]:
    """The columns that only the service writes; they come back as they were."""
    mapped = {column.lower() for column in writer.mapping.expressions}
    return [c.name for c in writer.target.table.columns.values() if not c.generated and c.name.lower() not in mapped]


def _column(writer: Writer, name: str) -> Column:
    return next(c for c in writer.target.table.columns.values() if c.name.lower() == name.lower())
