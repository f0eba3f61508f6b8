"""Saying the steps of a plan instead of doing them."""

from __future__ import annotations

from collections.abc import Callable

from proxy.flags import Edit, FlagSet, edit, rollback
from proxy.routes import Side
from strangler.control.flagging import Flagging
from strangler.control.plan import (
    AwaitSync,
    CompareRows,
    EnterPhase,
    MoveWrites,
    Plan,
    SendTraffic,
    StartStream,
    Step,
    StopStream,
    TakeBack,
)
from strangler.gates import duration


def sentences(plan: Plan, flagging: Flagging, tables: int, move: Callable[[Side], list[str]]) -> list[str]:
    """What would happen, in order. ``move`` says the steps of moving ownership to a side."""
    return [line for step in plan.steps for line in _say(step, plan, flagging, tables, move)]


def _say(step: Step, plan: Plan, flagging: Flagging, tables: int, said_move: Callable[[Side], list[str]]) -> list[str]:
    name, table = plan.capability, flagging.table

    def traffic(wanted: FlagSet, lines: list[str]) -> list[str]:
        return [f"make version {wanted.version} from {flagging.flags.version}:", *(f"  {line}" for line in lines)]

    match step:
        case StartStream():
            return [f"start the change stream of {name}: copy {tables} tables, then follow"]
        case AwaitSync(limit, timeout):
            return [
                f"wait until the stream follows with a lag of at most {duration(limit)}, at most {duration(timeout)}"
            ]
        case CompareRows():
            return ["compare every row of the two sides and keep the result as evidence; stop if any differs"]
        case SendTraffic(percent):
            change = Edit(percent=percent, unpin=True)
            return traffic(*flagging.preview(lambda f: edit(f, table, name, change, reads_only=True)))
        case TakeBack(None):
            return traffic(*flagging.preview(lambda f: rollback(f, table, name)))
        case TakeBack(percent):
            change = Edit(percent=percent)
            return traffic(*flagging.preview(lambda f: edit(f, table, name, change, reads_only=True)))
        case MoveWrites(owner):
            return said_move(owner)
        case StopStream():
            return [f"stop the change stream of {name} and forget its position and quarantine; rows on new stay"]
        case EnterPhase(phase):
            return [f"write down that {name} is in {phase}"]
