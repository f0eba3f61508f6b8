"""Copies on real servers, while tables are written, emptied and altered, and workers are killed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from cdc.copy.reader import Reader, selected_from
from cdc.copy.settings import CopySettings
from cdc.copy.stage import Stage
from cdc.copy.store import CopyStore
from cdc.database import Database
from cdc.ledger import TakenError
from cdc.ranges import KeyRange
from cdc.schema import read_table
from cdc.server import Server
from cdc.session import open_session
from cdc.state import SCHEMA, Direction, StreamState, StreamStatus
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import Lab, execute, one_table
from tests.cdc.test_kill import Writer, assert_equal

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

SMALL = CopySettings(sessions=3, chunk_rows=100, max_lag_seconds=600.0)
PAIRS = [("mysql_legacy", "mysql_new"), ("mariadb_server", "mysql_new"), ("mariadb_server", "mariadb_server")]


def fill(source: Database, rows: int) -> None:
    values = ", ".join(["('before', 1)"] * min(rows, 5000))
    execute(source, *[f"INSERT INTO items (title, price) VALUES {values}"] * (rows // min(rows, 5000)))


def chunks_done(lab: Lab) -> int:
    return int(
        execute(
            lab.target, f"SELECT COUNT(*) FROM {SCHEMA}.stream_copy_chunk WHERE capability = '{lab.mapping.capability}'"
        )[0][0]
    )


def until_done(lab: Lab, chunks: int) -> None:
    """Wait until so many chunks are written, while there are more to come."""
    end = time.monotonic() + 120
    while (done := chunks_done(lab)) < chunks:
        status = lab.desk.status()
        assert status.state not in (StreamState.STOPPED, StreamState.STREAMING), status
        assert time.monotonic() < end, f"{done} chunks: {status}"
        time.sleep(0.005)


@contextmanager
def busy(source: Database, statements: int) -> Iterator[None]:
    """So many statements run at the source until the block ends."""
    sessions = [open_session(source) for _ in range(statements)]

    def sleep(index: int) -> None:
        with closing(sessions[index]), sessions[index].cursor() as cursor:
            cursor.execute("DO SLEEP(120)")

    threads = [threading.Thread(target=sleep, args=(index,), daemon=True) for index in range(statements)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for session in sessions:
            execute(source, f"KILL QUERY {session.thread_id()}")
        for thread in threads:
            thread.join(30)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_copy_of_a_table_that_is_written_all_the_while_ends_equal(
    pair: tuple[str, str], request: pytest.FixtureRequest, make_lab: MakeLab
):
    """Invariant 8. Eighty chunks, and writers that update, delete, move and insert rows in all of them."""
    lab = make_lab(request.getfixturevalue(pair[0]), request.getfixturevalue(pair[1]))
    lab.copy = SMALL
    fill(lab.source, 8_000)
    execute(lab.target, "INSERT INTO products (legacy_id, title) VALUES (999999999, 'stray'), (77, 'stale')")
    ids = list(range(1, 8_001))
    random.Random(5).shuffle(ids)
    writers = [
        Writer(lab.source, seed=number, first=1_000_000 * number, ids=tuple(ids[number::2]), wait_seconds=0.005)
        for number in (1, 2)
    ]
    with lab.worker():
        lab.desk.want("running")
        with writers[0].writing(), writers[1].writing():
            status = lab.until(StreamState.STREAMING, seconds=150)
            assert status.events > 100  # were applied beside the copy
        lab.settle()
        assert assert_equal(lab) > 5_000


@pytest.mark.parametrize("pair", PAIRS[:2])
def test_a_copy_that_is_killed_goes_on_where_it_was(
    pair: tuple[str, str], request: pytest.FixtureRequest, make_lab: MakeLab
):
    lab = make_lab(request.getfixturevalue(pair[0]), request.getfixturevalue(pair[1]))
    lab.copy = SMALL
    fill(lab.source, 20_000)
    lab.desk.want("running")
    worker = lab.process()
    try:
        until_done(lab, 20)
        worker.kill()
        assert worker.wait(10) == -9
        copied = chunks_done(lab)
        assert 20 <= copied < 190
        assert lab.desk.position() is None  # nobody may think that all is there
        # a mark on what is there, which copying it once more would wipe off
        execute(lab.target, "UPDATE products SET title = 'kept'")
        marked = lab.new("SELECT COUNT(*) FROM products")[0][0]
        assert marked >= copied * 99
        worker = lab.process()
        status = lab.until_true(lambda status: status.progress is not None and status.progress.rows_done > marked)
        assert status.state is StreamState.COPYING
        lab.until(StreamState.STREAMING, seconds=100)
        assert lab.new("SELECT COUNT(*) FROM products WHERE title = 'kept'") == [(marked,)]
        assert lab.new("SELECT COUNT(*) FROM products") == [(20_000,)]
    finally:
        worker.terminate()
        assert worker.wait(60) == 0


def test_kills_all_through_a_copy_under_load_end_equal(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab, dice = make_lab(mysql_legacy, mysql_new), random.Random(7)
    lab.copy = SMALL
    fill(lab.source, 10_000)
    execute(lab.target, "INSERT INTO products (legacy_id, title) VALUES (999999999, 'stray')")
    lab.desk.want("running")
    worker = lab.process()
    writer = Writer(lab.source, seed=8, ids=tuple(range(1, 10_001, 2)), wait_seconds=0.02)
    try:
        with writer.writing():
            for _ in range(3):
                until_done(lab, chunks_done(lab) + 15)
                time.sleep(dice.uniform(0.0, 0.3))
                worker.kill()
                assert worker.wait(10) == -9
                worker = lab.process()
            lab.until(StreamState.STREAMING, seconds=100)
        lab.settle()
        assert assert_equal(lab) > 7_000
    finally:
        worker.terminate()
        assert worker.wait(60) == 0


KEYS = {
    "BIGINT UNSIGNED": "18446744073709551615 - {n} * 3",
    "DECIMAL(30,10)": "({n} - 50) / 7",
    "DOUBLE": "({n} - 50) / 7e0",
    "FLOAT": "({n} - 50) / 8",
    "BINARY(16)": "UNHEX(MD5({n}))",
    "VARBINARY(20)": "CONCAT(UNHEX(SUBSTR(MD5({n}), 1, 2 * ({n} MOD 8))), CHAR({n}))",
    "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci": "CONCAT(ELT({n} MOD 3 + 1, 'ä', 'B', '😀'), {n})",
    "VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_german1_ci": "CONCAT(ELT({n} MOD 3 + 1, 'ß', 'Z', 'é'), {n})",
    "CHAR(12) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin": "CONCAT(ELT({n} MOD 3 + 1, 'a', 'B', 'a '), {n}, '''\\\\')",
    "VARCHAR(20) CHARACTER SET ucs2": "CONCAT('k', {n})",
    "DATE": "'1969-12-01' + INTERVAL {n} DAY",
    "DATETIME(6)": "TIMESTAMP'1969-12-31 23:59:59.5' + INTERVAL {n} * 250001 MICROSECOND",
    "TIMESTAMP(3)": "TIMESTAMP'2024-10-27 00:59:59.5' + INTERVAL {n} * 250 SECOND",
    "TIME(2)": "SEC_TO_TIME(({n} - 50) * 1000.25)",
    "BIT(48)": "{n} * 12345678901",
}
NEW_KEYS = {
    "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci": "CONCAT(ELT({n} MOD 3 + 1, 'é', 'E ', 'ß'), {n})",
}
ROWS = 100
_NUMBERS = (
    "(SELECT 10 * a.d + b.d AS n FROM (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION"
    " SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) a, (SELECT 0 d UNION SELECT 1 UNION SELECT"
    " 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) b)"
    " numbers"
)


@pytest.mark.parametrize(("pair", "more"), [(PAIRS[0], NEW_KEYS), (PAIRS[2], {})], ids=["mysql", "mariadb"])
def test_tables_with_keys_of_any_type_are_cut_into_chunks(
    pair: tuple[str, str], more: dict[str, str], request: pytest.FixtureRequest, make_lab: MakeLab
):
    """Each type alone, and as the second part of a key between letters and an ENUM."""
    kinds = {**KEYS, **more}
    lab = make_lab(*(request.getfixturevalue(name) for name in pair), *_tables(kinds), source_sql=_create(kinds),
                   target_sql=_create(kinds))  # fmt: skip
    lab.copy = CopySettings(sessions=3, chunk_rows=30)
    statements = []
    for number, value in enumerate(kinds.values()):
        made = value.format(n="n")
        statements.append(f"INSERT INTO one{number} SELECT {made}, n FROM {_NUMBERS}")
        statements.append(
            f"INSERT INTO two{number} SELECT ELT(n MOD 2 + 1, 'z', 'a'), IF(n MOD 3, 'Ab', 'c'), {made}, n"
            f" FROM {_NUMBERS}"
        )
    for statement in statements:
        execute(lab.source, statement)
    with lab.streaming():
        for name in (*(f"one{n}" for n in range(len(kinds))), *(f"two{n}" for n in range(len(kinds)))):
            query = f"SELECT v, HEX(k) FROM {name} ORDER BY v"
            assert execute(lab.target, query) == execute(lab.source, query), name
        assert execute(lab.target, "SELECT COUNT(*) FROM one0, two0") == [(ROWS * ROWS,)]
        assert execute(lab.target, "SELECT COUNT(*) FROM nothing") == [(0,)]
    _no_scans(lab, len(kinds))


def _create(kinds: dict[str, str]) -> tuple[str, ...]:
    statements = ["CREATE TABLE nothing (k BIGINT PRIMARY KEY, v INT)"]
    for number, kind in enumerate(kinds):
        statements.append(f"CREATE TABLE one{number} (k {kind} NOT NULL PRIMARY KEY, v INT)")
        statements.append(
            f"CREATE TABLE two{number} (e ENUM('z','a') NOT NULL, s VARCHAR(10) NOT NULL, k {kind} NOT NULL, v INT,"
            " PRIMARY KEY (s, k, e)) CHARACTER SET utf8mb4"
        )
    return tuple(statements)


def _tables(kinds: dict[str, str]):  # type: ignore[no-untyped-def]
    plain = {"key": {"k": "k"}, "columns": {"v": "v"}}
    keys = {"key": {"s": "s", "k": "k", "e": "e"}, "columns": {"v": "v"}}
    return [
        one_table(table="nothing", source="nothing", **plain),
        *(one_table(table=f"one{n}", source=f"one{n}", **plain) for n in range(len(kinds))),
        *(one_table(table=f"two{n}", source=f"two{n}", **keys) for n in range(len(kinds))),
    ]


def _no_scans(lab: Lab, kinds: int) -> None:
    """The server finds every chunk through the primary key, so that the last costs what the first does."""
    reader = Reader(lab.source)
    with closing(open_session(lab.source)) as session, session.cursor() as cursor:
        for name in (f"{kind}{n}" for kind in ("one", "two") for n in range(kinds)):
            table = read_table(session, name, Server.of(session))
            assert table is not None
            after, through = reader.bound(table, KeyRange(), 40), reader.bound(table, KeyRange(), 47)
            between = KeyRange(after, through)
            cursor.execute(f"SELECT COUNT(*) FROM {selected_from(table, between)}")
            assert cursor.fetchone() == (7,), table
            cursor.execute("FLUSH STATUS")
            cursor.execute(f"SELECT SUM(v) FROM {selected_from(table, between)}")
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
            reads = {str(key): int(value) for key, value in cursor.fetchall()}
            assert sum(reads.values()) < 40, (table, between, reads)
    reader.close()


def test_a_table_that_is_emptied_while_it_is_copied(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    lab.copy = SMALL
    fill(lab.source, 10_000)
    with lab.worker():
        lab.desk.want("running")
        until_done(lab, 10)
        execute(lab.source, "TRUNCATE TABLE items")
        execute(lab.source, "INSERT INTO items (id, title, price) VALUES (5, 'after', 1), (9000, 'after', 2)")
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert assert_equal(lab) == 2


def test_a_table_that_is_altered_while_it_is_copied(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    lab.copy = SMALL
    fill(lab.source, 10_000)
    with lab.worker():
        lab.desk.want("running")
        until_done(lab, 10)
        execute(lab.source, "ALTER TABLE items ADD COLUMN more INT FIRST, MODIFY price DECIMAL(14,4), DROP COLUMN code")
        execute(lab.source, "UPDATE items SET price = 1234567890.25, more = 1 WHERE id IN (1, 5000, 10000)")
        lab.until(StreamState.STREAMING, seconds=100)
        lab.settle()
        assert assert_equal(lab) == 10_000


def test_a_busy_source_is_waited_for_while_the_stream_goes_on(mysql_legacy, mysql_new, make_lab: MakeLab):
    """And a row that was a stray when the copy began is none any more when the stream has brought it since."""
    lab = make_lab(mysql_legacy, mysql_new)
    lab.copy = CopySettings(sessions=2, chunk_rows=100, max_threads_running=6)
    fill(lab.source, 1000)
    execute(lab.target, "INSERT INTO products (legacy_id, title) VALUES (5000, 'stray'), (5001, 'stray'), (7, 'stale')")
    with lab.worker(), busy(lab.source, 12):
        lab.desk.want("running")

        def waits(status: StreamStatus) -> bool:
            return status.state is StreamState.COPYING and "statements at once" in str(
                status.progress.throttled if status.progress else ""
            )

        status = lab.until_true(waits)
        assert status.progress is not None and status.progress.rows_done == 0
        execute(lab.source, "INSERT INTO items (id, title, price) VALUES (5000, 'real', 1)")
        lab.until_true(lambda status: status.events == 1)
        assert lab.new("SELECT title FROM products WHERE legacy_id = 5000") == [("real",)]
        assert lab.desk.status().state is StreamState.COPYING
    with lab.worker():
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert assert_equal(lab) == 1001


def test_a_stream_that_is_behind_comes_first(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    lab.copy = CopySettings(max_lag_seconds=0.000001)
    fill(lab.source, 1000)
    with lab.worker():
        lab.desk.want("running")
        lab.until_true(
            lambda status: status.progress is not None and "s behind" in str(status.progress.throttled),
        )
        assert lab.new("SELECT COUNT(*) FROM products") == [(0,)]


def test_a_run_that_was_thought_dead_writes_nothing(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    stages = [Stage(lab.target, CopyStore("cap", Direction.TO_NEW, f"{number:032}")) for number in (1, 2)]
    old, new = (stage._store for stage in stages)
    with stages[0].session.cursor() as cursor:
        old.begin(cursor, "items", "x" * 64, ())
    stages[0].session.commit()
    new.take(stages[1].session, "items")
    stages[1].session.commit()
    with stages[0].session.cursor() as cursor, pytest.raises(TakenError, match="another worker copies items"):
        old.check_owner(cursor, "items")
    for stage in stages:
        stage.close()


def test_values_that_are_unique_twice_and_a_stream_that_was_there_first(mysql_legacy, mysql_new, make_lab: MakeLab):
    """A target with a counter and another unique key is written with care, also while it is copied."""
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(columns={"title": "TRIM(title)", "price_cents": "CAST(ROUND(price * 100) AS SIGNED)"}),
        target_sql=(
            "CREATE TABLE products (id BIGINT PRIMARY KEY AUTO_INCREMENT, legacy_id BIGINT NOT NULL UNIQUE,"
            " title VARCHAR(200), price_cents BIGINT, boost INT NOT NULL DEFAULT 7) CHARACTER SET utf8mb4",
        ),
    )
    lab.copy = SMALL
    fill(lab.source, 10_000)
    with lab.worker():
        lab.desk.want("running")
        with Writer(lab.source, seed=4, ids=tuple(range(1, 10_001)), wait_seconds=0.0).writing():
            lab.until(StreamState.STREAMING, seconds=100)
        lab.settle()
        assert assert_equal(lab) > 5_000


def test_rows_that_do_not_fit_one_text_are_read_one_by_one(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    fill(lab.source, 300)
    execute(lab.source, "UPDATE items SET title = REPEAT('\\t\\n', id MOD 90), price = NULL WHERE id MOD 2")
    text = "CONCAT_WS('\\t', id, REPLACE(REPLACE(title, '\\t', '\\\\t'), '\\n', '\\\\n'), COALESCE(price, '\\\\N'))"
    reader = Reader(lab.source)
    with closing(open_session(lab.source)) as session, closing(reader.session):
        table = read_table(session, "items", Server.of(session))
        assert table is not None
        ((rows, whole),) = reader.read(table, text, KeyRange())
        assert rows == 300 and whole.count(b"\n") == 300
        for limit in (1000, len(whole) - 2, len(whole) - 1):  # cut in the middle, one byte too short, and enough
            with reader.session.cursor() as cursor:
                cursor.execute(f"SET SESSION group_concat_max_len = {limit}")
            pieces = list(reader.read(table, text, KeyRange()))
            assert b"".join(lines for _, lines in pieces) == whole, limit
            assert sum(count for count, _ in pieces) == 300
        after = reader.bound(table, KeyRange(), 100)
        assert [count for count, _ in reader.read(table, text, KeyRange(after))] == [200]
        assert list(reader.read(table, text, KeyRange(("99999",)))) == []
