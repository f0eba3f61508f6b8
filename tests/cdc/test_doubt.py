"""Which values of the envelope are read again at the source."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdc.apply.stage import StagedColumn
from cdc.conversion import Unsupported, conversion
from cdc.doubt import Doubt
from cdc.event import Change
from cdc.schema import Column
from cdc.second_look import _Table


def column(kind: str, **more: object) -> Column:
    full = str(more.pop("full_type", kind))
    plain = Column("c", kind, full, nullable=True, has_default=True, generated=False)
    return replace(plain, **more)  # type: ignore[arg-type]


def doubt(kind: str, **more: object) -> Doubt:
    found = conversion(column(kind, **more)).doubt
    assert found is not None
    return found


def test_dates_are_taken_at_their_word_where_none_is_zero():
    assert conversion(column("date")).doubt is None
    assert conversion(column("datetime", precision=6)).doubt is None


def test_a_zero_date_hides_behind_null_or_the_default_or_1970():
    maybe = doubt("date", zeros=True)
    assert (maybe.about(None), maybe.about(0), maybe.about(19_000)) == (True, False, False)
    sure = doubt("date", zeros=True, nullable=False, default="2001-01-01")
    assert (sure.about(0), sure.about(11_323), sure.about(11_324)) == (True, True, False)
    quoted = doubt("datetime", zeros=True, nullable=False, default="'2001-01-01 01:02:03.500000'", precision=6)
    assert quoted.about(978_310_923_500_000)
    millis = doubt("datetime", zeros=True, nullable=False, default="2001-01-01 01:02:03", precision=0)
    assert millis.about(978_310_923_000)
    assert doubt("datetime", zeros=True, nullable=False, default="current_timestamp()", precision=0).about(0)


def test_letters_that_java_does_not_know_are_read_again():
    latin = doubt("varchar", charset="latin1", collation="latin1_swedish_ci", full_type="varchar(9)")
    assert (latin.about("grün"), latin.about("\ufffd"), latin.about(None)) == (False, True, False)
    assert latin.plain("grün") == "grün"
    for charset in ("utf8mb4", "utf8mb3", "ascii", "utf16"):  # there it is a letter like others
        assert conversion(column("varchar", charset=charset, collation="x", full_type="varchar(9)")).doubt is None


def test_character_sets_that_java_reads_otherwise_travel_as_bytes():
    ukrainian = doubt("text", charset="koi8u", collation="koi8u_general_ci")
    assert (ukrainian.about("є"), ukrainian.about("plain"), ukrainian.plain("az")) == (True, False, "617a")
    swedish = doubt("text", charset="swe7", collation="swe7_swedish_ci")
    assert swedish.about("[")  # a letter there


def test_json_is_read_again_where_it_may_have_been_written_otherwise():
    document = doubt("json", is_json=True)
    for bent in (
        '{"n":12345678901234567741440}',
        '{"t":"10:11:12.5"}',
        '{"t":"11:0-12:0-12"}',
        '["2024-01-01 01:02:03"]',
        '{"b":"AP9B"}',
        '["BQ=="]',
    ):
        assert document.about(bent), bent
    for plain in (
        '{"n":1234567890.5,"abcd":"a word, and more"}',
        '{"at":"2024-01-01T01:02:03Z"}',
        '{"a":"","b":null}',
        "[]",
    ):
        assert not document.about(plain), plain


def test_old_images_keep_what_is_sure():
    latin = doubt("varchar", charset="latin1", collation="latin1_swedish_ci", full_type="varchar(9)")
    assert (latin.old("a"), latin.old("\ufffd")) == ("a", None)
    assert doubt("date", zeros=True).old(None) is None


@pytest.mark.parametrize("kind", ["point", "geometry", "vector", "inet6", "anything"])
def test_what_has_no_conversion_is_refused(kind: str):
    with pytest.raises(Unsupported, match=f"column c is {kind.upper()}"):
        conversion(column(kind))


def test_character_sets_that_end_the_engine_are_refused_with_a_way_out():
    with pytest.raises(Unsupported, match="cp1256") as refused:
        conversion(column("varchar", charset="cp1256", collation="cp1256_general_ci", full_type="varchar(9)"))
    assert "utf8mb4" in refused.value.fix


def change(op: str, before: dict[str, object] | None, after: dict[str, object] | None) -> Change:
    return Change(0, op, "shop", "t", before, after, None, "binlog.1", 4)


def staged(one: Column) -> StagedColumn:
    return StagedColumn(one, conversion(one))


KEY = staged(column("int", nullable=False))
UUID = staged(replace(column("uuid"), name="u"))
BORN = staged(replace(column("date", zeros=True), name="born"))


def table(*doubtful: StagedColumn) -> _Table:
    pairs = tuple((one, one.how.doubt) for one in doubtful if one.how.doubt is not None)
    return _Table("t", (KEY,), pairs)


def test_what_was_read_stands_in_for_what_was_doubtful():
    event = change("u", {"c": 7, "u": "bent", "born": 1}, {"c": 7, "u": "bent", "born": None})
    settled = table(UUID, BORN).settled(event, ("whole", "2024-00-00"), asked=True)
    assert settled.after == {"c": 7, "u": "whole", "born": "2024-00-00"}
    assert settled.before == {"c": 7, "u": None, "born": 1}
    assert settled.op == "u"


def test_a_null_that_is_one_stays():
    settled = table(BORN).settled(change("c", None, {"c": 7, "born": None}), (None,), asked=True)
    assert settled.after == {"c": 7, "born": None}


def test_a_row_that_is_gone_is_taken_as_deleted():
    settled = table(UUID).settled(change("c", None, {"c": 7, "u": "bent"}), None, asked=True)
    assert (settled.op, settled.after, settled.before) == ("d", None, {"c": 7, "u": None})


def test_a_date_of_a_row_that_is_gone_may_stay_as_it_came():
    settled = table(BORN).settled(change("c", None, {"c": 7, "born": None}), None, asked=True)
    assert (settled.op, settled.after) == ("c", {"c": 7, "born": None})


def test_rows_are_asked_for_by_key_many_at_once():
    (statement,) = table(BORN).statements([{"c": 7}, {"c": 8}])
    assert statement.endswith("FROM `t` WHERE `c` IN (7,8)")


def test_any_other_key_is_compared_as_its_column_does():
    name = staged(
        replace(column("varchar", charset="utf8mb4", collation="utf8mb4_bin", full_type="varchar(9)"), name="n")
    )
    by_text = replace(table(BORN), key=(name, KEY))
    (statement,) = by_text.statements([{"n": "a", "c": 1}, {"n": "", "c": 2}])
    assert statement.count("UNION ALL") == 1
    assert "WHERE `n` = _utf8mb4 x'61' AND `c` = 1" in statement
    assert "WHERE `n` = '' AND `c` = 2" in statement
