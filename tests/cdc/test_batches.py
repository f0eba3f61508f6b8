"""Batches end where transactions of the source end."""

from __future__ import annotations

from dataclasses import dataclass

from cdc.batches import Assembler, Cut
from cdc.event import Change, Event, Heartbeat, Marker, Place, SchemaChange


@dataclass
class Handed:
    """A hand-over whose offsets say which one they are of."""

    name: str
    values: bytes = b"[]"
    size: int = 0

    def forget(self) -> None:
        pass

    def offset(self, at: int) -> str:
        return f"{self.name}{at}"


def change(at: int, gtid: str | None) -> Change:
    return Change(at, "c", "shop", "items", None, {"id": at}, gtid, "binlog.1", at)


def schema_change(at: int) -> SchemaChange:
    return SchemaChange(at, "ALTER", (), {}, Place("ddl", "binlog.1", at))


def assembled(*hand_overs: list[Event]) -> Assembler:
    made = Assembler()
    for name, events in zip("abc", hand_overs, strict=False):
        made.add(Handed(name), events)
    return made


def ats(cut: Cut | None) -> list[int] | None:
    return None if cut is None else [event.at for event in cut.events]


def test_an_open_transaction_is_held_back():
    waiting = assembled([change(0, "g1"), change(1, "g1"), change(2, "g2")])
    cut = waiting.cut()
    assert cut is not None and (ats(cut), cut.offset, cut.gtid) == ([0, 1], "a1", "g1")
    assert waiting.cut() is None and waiting.size == 1
    waiting.add(Handed("b"), [change(0, "g2"), Marker(1, "s", 1, "g3")])
    cut = waiting.cut()
    assert cut is not None and (ats(cut), cut.offset, cut.gtid) == ([2, 0, 1], "b1", "g3")


def test_after_a_silence_everything_goes_but_the_transaction_is_not_called_over():
    cut = assembled([change(0, "g1"), change(1, "g1")]).cut(everything=True)
    assert cut is not None and (ats(cut), cut.offset, cut.gtid) == ([0, 1], "a1", None)


def test_without_gtids_each_event_stands_for_itself():
    assert ats(assembled([change(0, None), change(1, None)]).cut()) == [0, 1]


def test_a_schema_change_comes_alone():
    waiting = assembled([change(0, "g1"), schema_change(1), Marker(2, "s", 1, "g3")])
    assert [ats(waiting.cut()), ats(waiting.cut()), ats(waiting.cut()), waiting.cut()] == [[0], [1], [2], None]


def test_what_one_statement_makes_stays_together_and_is_waited_for():
    one, other = schema_change(1), schema_change(1)
    waiting = assembled([one])
    assert waiting.cut(everything=True) is None  # the statement may make more
    waiting.add(Handed("b"), [other])
    assert waiting.cut(everything=True) is None
    waiting.add(Handed("c"), [schema_change(2), Marker(3, "s", 1, "g3")])
    cut = waiting.cut()
    assert cut is not None and (cut.events, cut.offset) == ([one, other], "b1")
    assert [ats(waiting.cut()), ats(waiting.cut()), waiting.cut()] == [[2], [3], None]


def test_heartbeats_are_nothing_to_apply():
    waiting = assembled([Heartbeat(0)])
    assert waiting.cut(everything=True) is None and waiting.size == 0
