"""Schema changes as a stream meets them: judged, and what follows is stored with the position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

import structlog
from pymysql.cursors import Cursor

from cdc.alteration import Judgement, judge
from cdc.apply.plan import Plan
from cdc.event import SchemaChange
from cdc.explain import Stopped
from cdc.ledger import Ledger, Met, Stored
from cdc.mention import mentioned
from cdc.schema import Table
from cdc.shape import shape_of
from cdc.spec import StreamSpec
from cdc.state import StreamError
from cdc.statement import read_statement

log = structlog.get_logger("stream")


class After(Enum):
    """What a run has to do after a step."""

    SAME = "go on"
    SHAPE = "a table has another shape: go on by another plan"
    ANEW = "tables are to be copied: begin the run anew"


@dataclass(frozen=True)
class Outcome:
    """``shapes`` are tables as they are afterwards (None: gone), ``again`` why tables are to be copied again."""

    shapes: Mapping[str, Table | None] = field(default_factory=dict)
    again: Mapping[str, str] = field(default_factory=dict)
    met: Met | None = None

    @property
    def after(self) -> After:
        if self.again:
            return After.ANEW
        return After.SHAPE if self.shapes else After.SAME


class Alterations:
    """Those of one run. ``look`` reads a source table as it is now, ``fits`` says whether the mapping can do with a
    table; ``asked`` is the number of what the stream was asked for."""

    def __init__(
        self,
        spec: StreamSpec,
        ledger: Ledger,
        stored: Stored,
        asked: int,
        look: Callable[[str], Table | None],
        fits: Callable[[Table], bool],
    ) -> None:
        self._spec, self._ledger, self._asked = spec, ledger, asked
        self._look, self._fits = look, fits
        self._altered, self._halted = stored.altered, stored.halted
        self.shapes = dict(stored.shapes)

    def meet(self, event: SchemaChange, plan: Plan) -> Outcome:
        """What follows of the change; nothing when it was dealt with before and only comes again. Raises Stopped."""
        if self._altered is not None and self._altered.has(event):
            return Outcome()
        judged = self._judge(event, plan)
        accepted = self._halted is not None and self._halted.has(event) and self._asked > self._halted.asked
        shapes, again = dict[str, Table | None](), dict[str, str]()
        for table, (judgement, after) in judged.items():
            by_choice = judgement.stops(self._spec.schema_changes)
            if by_choice is not None and not accepted:
                self._halt(event, table, by_choice)
            why = judgement.copies(self._spec.schema_changes)
            if judgement.lost is not None:
                now = self._look(table)
                if now is None or not self._fits(now):
                    raise Stopped(self._cannot(event, table, judgement.lost + self._readers(table, after)))
                why = judgement.lost  # and there is one now that it can do with: until then its events say nothing
            if why is not None:
                again[table] = why
                log.warning("copied again", capability=self._spec.capability, table=table, why=why, statement=event.ddl)
            elif (left := judgement.left(self._spec.schema_changes)) is not None:
                log.warning("left as it is", capability=self._spec.capability, table=table, why=left)
            if after is not None or judgement.gone:
                shapes[table] = after
        met = None
        if judged:
            met = (self._altered or Met("", ())).plus(event)
        return Outcome(shapes, again, met)

    def unseen(self, statements: Mapping[str, str], outcome: Outcome) -> Outcome:
        """What follows, besides ``outcome``, of statements (by table) that were logged as text: a session with a
        binlog format of its own, or a MEMORY table that the server found empty."""
        for table, statement in statements.items():
            log.warning(
                "copied again",
                capability=self._spec.capability,
                table=table,
                why="written without row events (binlog_format of a session?)",
                statement=statement,
            )
        return replace(outcome, again={**outcome.again, **statements})

    def record(self, cursor: Cursor, outcome: Outcome) -> None:
        """In the transaction of the position."""
        for table, shape in outcome.shapes.items():
            if shape is None:
                self._ledger.drop_shape(cursor, table)
            else:
                self._ledger.keep_shape(cursor, table, shape, self._spec.mapping.digest(table))
        self._ledger.uncopied(cursor, outcome.again)
        if outcome.met is not None:
            self._ledger.met(cursor, outcome.met)

    def committed(self, outcome: Outcome) -> None:
        for table, shape in outcome.shapes.items():
            if shape is None:
                self.shapes.pop(table, None)
            else:
                self.shapes[table] = shape
        if outcome.met is not None:
            self._altered = outcome.met

    def _judge(self, event: SchemaChange, plan: Plan) -> dict[str, tuple[Judgement, Table | None]]:
        """Of the tables that the change concerns."""
        statement = read_statement(event.ddl, event.schema)
        found = dict[str, tuple[Judgement, Table | None]]()
        for table, source in plan.sources.items():
            name = (self._spec.source.schema, table)
            told, before = event.shapes.get(name), self.shapes.get(table)
            after = None
            if told is not None:
                after = shape_of(table, told, [known for known in (self._look(table), before) if known is not None])
            judgement = judge(name, statement, before, after, source.staging.names, event.ddl)
            if after is not None or judgement != Judgement():
                found[table] = judgement, after
        return found

    def _halt(self, event: SchemaChange, table: str, choice: str) -> None:
        capability = self._spec.capability
        self._ledger.halt(Met(str(event.place), (event.ddl,), self._asked))
        raise Stopped(
            StreamError(
                f"{_line(event)}: as {choice} asks for ({table})",
                f"see whether the mapping wants a change, then: strangler sync resume {capability}, which goes on past"
                " the statement",
                position=str(event.place),
                table=table,
                event=event.ddl,
            )
        )

    def _readers(self, table: str, after: Table | None) -> str:
        """Which columns of the mapping read what is not there any more."""
        before = self.shapes.get(table)
        gone = set(before.columns if before else ()) - set(after.columns if after else ())
        found = [
            f"{one.table}.{column}"
            for one in self._spec.mapping.tables
            if one.source == table
            for column, expression in one.expressions.items()
            if mentioned([expression], gone)
        ]
        return f" (for {', '.join(found)})" if found else ""

    def _cannot(self, event: SchemaChange, table: str, why: str) -> StreamError:
        return StreamError(
            f"{_line(event)}: {why}",
            f"correct the mapping and: strangler sync resume {self._spec.capability}",
            position=str(event.place),
            table=table,
            event=event.ddl,
        )


def _line(event: SchemaChange) -> str:
    return " ".join(event.ddl.split())
