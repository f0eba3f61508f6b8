"""Errors of a stream in words, with what to do about them."""

from __future__ import annotations

import pymysql
import structlog

from cdc.apply.identity import is_copied
from cdc.apply.plan import PlanError
from cdc.apply.reduce import key_text
from cdc.apply.refusal import Refused
from cdc.apply.stage import StagingError
from cdc.copy.reader import CopyError
from cdc.event import EventError, snippet
from cdc.ledger import HistoryLost, TakenError
from cdc.position import PositionError
from cdc.quarantine import QuarantineError
from cdc.session import disk_full, try_again
from cdc.source.port import SourceError
from cdc.spec import SpecError
from cdc.state import StreamError

_MEND = "correct the mapping, the row or the target's table"

_NOT_LET_IN = frozenset({1044, 1045, 1698, 1820, 1862, 3118})  # refused, password expired, account locked

log = structlog.get_logger("stream")


class Stopped(Exception):
    """The stream can't go on without somebody's doing."""

    def __init__(self, error: StreamError) -> None:
        super().__init__(error.message)
        self.error = error


def waiting_helps(error: BaseException) -> bool:
    """Whether a server is away or busy, so that the same run may go well later."""
    return (isinstance(error, SourceError) and error.away) or try_again(error)


def words_of(error: BaseException) -> str:
    """The error's own words, on one line; what they mean before them where they don't say it."""
    words = " ".join(str(error.args[-1] if error.args else error).split()) or type(error).__name__
    if disk_full(error):
        return f"a database has no room for what it is to write, and it goes on when there is some: {words}"
    return words


def explain(capability: str, error: Exception) -> StreamError:
    """What is told to people when the error stops a stream."""
    words, resume = words_of(error), f"then: strangler sync resume {capability}"
    if isinstance(error, Stopped):
        return error.error
    if isinstance(error, Refused):
        change = error.change
        return StreamError(
            f"an event on {change.schema}.{change.table} can't be applied: {words}",
            f"{error.way_out or _MEND}; {resume}",
            position=None if is_copied(change) else str(change.place),
            table=change.table,
            key=key_text(change, error.key),
            event=snippet(change._asdict()),
        )
    if isinstance(error, EventError):
        return StreamError(words, f"see the event; {resume}", event=error.event)
    if isinstance(error, SpecError):
        return StreamError(words, f"correct strangler.toml; {resume}")
    if isinstance(error, HistoryLost):
        return StreamError(words, f"copy all tables again: strangler sync resnapshot {capability}")
    if isinstance(error, PlanError):
        return StreamError(words, f"correct strangler.toml or the tables; {resume}")
    if isinstance(error, SourceError):
        return StreamError(words, error.way_out or f"see the worker's log; {resume}")
    if isinstance(error, (QuarantineError, TakenError, CopyError, StagingError, PositionError, FileNotFoundError)):
        return StreamError(str(error), resume)
    if isinstance(error, pymysql.err.OperationalError) and error.args and error.args[0] in _NOT_LET_IN:
        return StreamError(
            f"a database does not let the stream's account in: {words}",
            "was its password changed? Put the new one where strangler.toml (or the environment it names) has it, and"
            f" {resume}; what comes from the environment is read when the worker starts: strangler down, strangler up",
        )
    if isinstance(error, pymysql.err.MySQLError):
        number = error.args[0] if error.args else "?"
        return StreamError(f"a database refused: {words} (error {number})", f"correct that; {resume}")
    log.exception("unexpected", capability=capability, exc_info=error)
    return StreamError(f"unexpected: {type(error).__name__}: {words}", f"see the worker's log; {resume}")
