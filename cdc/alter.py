"""Schema changes as a stream meets them: judged, and what follows is stored with the position."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

    def meet(self, events: Sequence[SchemaChange], plan: Plan) -> Outcome:
        """What follows of the changes that one statement made; nothing of those that were dealt with before and only
        come again. Raises Stopped."""
        shapes, again = dict[str, Table | None](), dict[str, str]()
        met = self._altered
        for event in events:
            if self._altered is not None and self._altered.has(event):
                continue
            judged = self._judge(event, plan, {**self.shapes, **shapes})
            if judged:
                met = (met or Met("", ())).plus(event)
            for table, (judgement, after) in judged.items():
                self._stop_by_choice(events, table, judgement)
                why = self._why_copied(event, table, judgement, after)
                if why is not None:
                    again[table] = why
                    self._log("copied again", table, why, event.ddl)
                elif (left := judgement.left(self._spec.schema_changes)) is not None:
                    self._log("left as it is", table, left, event.ddl)
                if after is not None or judgement.gone:
                    shapes[table] = after
        return Outcome(shapes, again, met if met is not self._altered else None)

    def _stop_by_choice(self, events: Sequence[SchemaChange], table: str, judgement: Judgement) -> None:
        choice = judgement.stops(self._spec.schema_changes)
        if choice is None:
            return
        if self._halted is not None and self._halted.has(events[0]) and self._asked > self._halted.asked:
            return  # it was shown, and the stream was asked for again
        capability = self._spec.capability
        self._ledger.halt(Met(str(events[0].place), tuple(event.ddl for event in events), self._asked))
        raise Stopped(
            StreamError(
                f"{'; '.join(map(_line, events))}: as {choice} asks for ({table})",
                f"see whether the mapping wants a change, then: strangler sync resume {capability}, which goes on past"
                " the statement",
                position=str(events[0].place),
                table=table,
                event=events[0].ddl,
            )
        )

    def _why_copied(self, event: SchemaChange, table: str, judgement: Judgement, after: Table | None) -> str | None:
        if judgement.lost is None:
            return judgement.copies(self._spec.schema_changes)
        now = self._look(table)
        if now is None or not self._fits(now):
            raise Stopped(self._cannot(event, table, judgement.lost + self._readers(table, after)))
        return judgement.lost  # and the mapping can do with what is there now: its events say nothing until then

    def _log(self, what: str, table: str, why: str, statement: str) -> None:
        log.warning(what, capability=self._spec.capability, table=table, why=why, statement=statement)

    def unseen(self, statements: Mapping[str, str], outcome: Outcome) -> Outcome:
        """What follows, besides ``outcome``, of statements (by table) that were logged as text: a session with a
        binlog format of its own, or a MEMORY table that the server found empty."""
        for table, statement in statements.items():
            self._log("copied again", table, "written without row events (a session's binlog_format?)", statement)
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

    def _judge(
        self, event: SchemaChange, plan: Plan, shapes: Mapping[str, Table | None]
    ) -> dict[str, tuple[Judgement, Table | None]]:
        """Of the tables that the change concerns, whose ``shapes`` were so before."""
        statement = read_statement(event.ddl, event.schema)
        found = dict[str, tuple[Judgement, Table | None]]()
        for table, source in plan.sources.items():
            name = (self._spec.source.schema, table)
            told, before = event.shapes.get(name), shapes.get(table)
            after = None
            if told is not None:
                after = shape_of(table, told, [known for known in (self._look(table), before) if known is not None])
            judgement = judge(name, statement, before, after, source.staging.names, event.ddl)
            if after is not None or judgement != Judgement():
                found[table] = judgement, after
        return found

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
