"""What comes out of the engine, as events."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cdc.event import Change, EventError, Heartbeat, Marker, Place, SchemaChange, Truncate, parse, snippet

SOURCE = {"db": "shop", "table": "items", "gtid": "u:7", "file": "binlog.000001", "pos": 400, "snapshot": "false"}
MARKERS = {**SOURCE, "db": "strangler", "table": "marker"}


def record(op: str, before: Any, after: Any, **source: Any) -> dict[str, Any]:
    return {"op": op, "before": before, "after": after, "source": {**SOURCE, **source}, "ts_ms": 1}


def events(*records: Any) -> list[Any]:
    return parse(orjson.dumps(records))


def test_row_changes_keep_their_order_and_their_place():
    one, two, three = events(
        record("c", None, {"id": 1}),
        record("u", {"id": 1}, {"id": 1, "title": "a"}, pos=500),
        record("d", {"id": 1}, None, gtid=None),
    )
    assert one == Change(0, "c", "shop", "items", None, {"id": 1}, "u:7", "binlog.000001", 400)
    assert (two.at, two.op, two.before, two.after, two.offset) == (1, "u", {"id": 1}, {"id": 1, "title": "a"}, 500)
    assert (three.op, three.after, str(three.place)) == ("d", None, "binlog.000001:400")
    assert str(one.place) == "u:7 @ binlog.000001:400"


def test_numbers_keep_all_their_digits():
    (change,) = parse(
        orjson.dumps([record("c", None, {"id": 1})]).replace(b'"id":1', b'"id":18446744073709551615,"d":"0.10"')
    )
    assert change.after == {"id": 18446744073709551615, "d": "0.10"}


def test_a_table_of_the_shop_may_be_called_marker():
    (change,) = events(record("c", None, {"id": 1}, table="marker"))
    assert isinstance(change, Change)


def test_markers_heartbeats_truncates_and_what_is_no_event():
    place = Place("u:7", "binlog.000001", 400)
    assert events(
        {"op": "u", "before": {}, "after": {"stream": "s", "number": 12}, "source": MARKERS},
        {"ts_ms": 5},
        None,
        record("t", None, None),
        {"status": "BEGIN", "id": "u:7"},
    ) == [Marker(0, "s", 12, "u:7"), Heartbeat(1), Truncate(3, "shop", "items", place)]


def test_schema_changes_name_what_they_touched():
    table = {"columns": [{"name": "id"}, {"name": "title"}]}
    changed = [{"id": '"shop"."items"', "previousId": '"shop"."old"', "table": table}]
    ddl = {"source": SOURCE, "ddl": "RENAME TABLE old TO items", "tableChanges": changed}
    (event,) = events(ddl)
    assert isinstance(event, SchemaChange)
    assert event.tables == (("shop", "items"), ("shop", "old"))
    assert event.columns == {("shop", "items"): ("id", "title")}
    # what the engine says of the tables as it finds them is no change
    assert events({**ddl, "source": {**SOURCE, "snapshot": "true"}}) == []


@pytest.mark.parametrize(
    ("strange", "words"),
    [
        (record("x", None, {"id": 1}), "unknown operation 'x' on shop.items"),
        (record("c", None, None), "without its row on shop.items at u:7 @ binlog.000001:400"),
        (record("d", None, {"id": 1}), "without its row"),
        ({"op": "c", "before": None, "after": {}}, "where in the binlog"),
        ({"something": "else"}, "unknown kind, with the keys ['something']"),
        ([1], "no JSON object"),
        ({"source": SOURCE, "ddl": "DROP", "tableChanges": [{"id": "items"}]}, "names a table 'items'"),
    ],
)
def test_nothing_is_skipped_because_it_looks_strange(strange: Any, words: str):
    with pytest.raises(EventError) as error:
        events(record("c", None, {"id": 1}), strange)
    assert words in str(error.value)
    assert error.value.event == snippet(strange)


def test_what_is_no_json_is_said():
    with pytest.raises(EventError, match="no JSON") as error:
        parse(b"[{")
    assert error.value.event == "[{"


def test_long_events_are_cut_short_for_people():
    assert snippet({"a": "x" * 50}, 10) == '{"a":"xxxx...'
