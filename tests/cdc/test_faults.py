"""What goes wrong with servers, tables and rows: said in words, and gone on from exactly."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cdc.database import Database
from cdc.session import open_session
from cdc.state import StreamError, StreamState
from strangler.dev.mysql import private_mysql
from strangler.dev.server import LOOPBACK, PrivateServer
from tests.cdc.conftest import MakeLab
from tests.cdc.lab import PRODUCTS, execute, one_table
from tests.cdc.relay import slow_link
from tests.cdc.test_kill import Writer, assert_equal

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def frail() -> Iterator[PrivateServer]:
    """A server of these tests' own: it is stopped, and its settings are spoilt."""
    with (
        tempfile.TemporaryDirectory(prefix="strangler-tests-") as folder,
        PrivateServer(private_mysql(), Path(folder) / "frail", server_id=9, buffer_pool_mb=64) as server,
    ):
        yield server


@contextmanager
def setting(database: Database, name: str, value: str, before: str) -> Iterator[None]:
    execute(database, f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        execute(database, f"SET GLOBAL {name} = {before}")


def test_a_source_that_does_not_log_whole_rows(frail, mysql_new, make_lab: MakeLab):
    lab = make_lab(frail, mysql_new)
    with (
        setting(lab.source, "binlog_format", "'STATEMENT'", "'ROW'"),
        setting(lab.source, "binlog_row_image", "'MINIMAL'", "'FULL'"),
        lab.worker(),
    ):
        lab.desk.want("running")
        error = lab.stopped()
        assert "binlog_format = STATEMENT, ROW is needed: SET GLOBAL binlog_format = 'ROW'" in error.message
        assert "binlog_row_image = MINIMAL, FULL is needed" in error.message
        assert "strangler sync resume" in error.way_out


def test_an_account_without_rights_then_with_just_those_it_needs(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    admin, user = lab.source, f"u_{secrets.token_hex(4)}"
    execute(lab.source, "INSERT INTO items (title) VALUES ('a')")
    account = f"'{user}'@'{LOOPBACK}'"
    execute(admin, f"CREATE USER {account} IDENTIFIED BY 'pass-word'", f"GRANT SELECT ON {admin.schema}.* TO {account}")
    lab.source = replace(admin, user=user, password="pass-word")
    try:
        with lab.worker():
            lab.desk.want("running")
            error = lab.stopped()
            assert "lacks REPLICATION SLAVE, REPLICATION CLIENT: GRANT REPLICATION SLAVE" in error.message
            execute(
                admin,
                f"GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {account}",
                f"GRANT LOCK TABLES ON {admin.schema}.* TO {account}",
                f"GRANT SELECT, INSERT, UPDATE, CREATE ON strangler.* TO {account}",
            )
            lab.desk.resume()
            lab.until(StreamState.STREAMING)
            execute(admin, "INSERT INTO items (title) VALUES ('b')")
            lab.settle()
            assert lab.new("SELECT title FROM products ORDER BY 1") == [("a",), ("b",)]
    finally:
        execute(admin, f"DROP USER {account}")


def test_tables_that_do_not_fit_are_all_named_at_once(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(
        mysql_legacy,
        mysql_new,
        one_table(),
        one_table(table="nowhere", source="missing"),
        source_sql=("CREATE TABLE items (id BIGINT, title VARCHAR(20), price INT)",),
    )
    with lab.worker():
        lab.desk.want("running")
        error = lab.stopped()
        assert "items has no primary key" in error.message
        assert "the source has no table missing" in error.message
        assert "the target has no table nowhere" in error.message
        assert lab.desk.position() is None


def test_an_event_that_no_row_is_to_blame_for_stops_the_stream_by_name(mysql_legacy, mysql_new, make_lab: MakeLab):
    """What every row would meet is not set aside (``test_quarantine`` has what is)."""
    lab = make_lab(mysql_legacy, mysql_new)
    with lab.streaming():
        execute(lab.target, "ALTER TABLE products RENAME COLUMN title TO name")
        execute(
            lab.source,
            "INSERT INTO items (id, title) VALUES (1, 'one'), (2, 'two')",
            "UPDATE items SET title = 'later' WHERE id = 1",
        )
        error = lab.stopped()
        assert "items can't be applied: Unknown column 'title'" in error.message
        assert (error.table, error.key) == ("items", "id=1")
        assert error.position is not None and "binlog.0" in error.position
        assert error.event is not None and "one" in error.event
        assert lab.new("SELECT * FROM products") == []
        before = lab.desk.position()
        lab.desk.resume()  # nothing was mended
        assert "no column title" in lab.stopped().message
        assert lab.desk.position() == before
        execute(lab.target, "ALTER TABLE products RENAME COLUMN name TO title")
        lab.desk.resume()
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert lab.new("SELECT legacy_id, title FROM products ORDER BY 1") == [(1, "later"), (2, "two")]
        assert lab.quarantine.heads() == []


def test_a_purged_binlog_is_told_and_a_new_copy_is_the_way_out(frail, mysql_new, make_lab: MakeLab):
    lab = make_lab(frail, mysql_new)
    execute(lab.source, "INSERT INTO items (title) VALUES ('a'), ('b')")
    with lab.streaming():
        lab.desk.want("paused")
        lab.until(StreamState.PAUSED)
        execute(lab.source, "DELETE FROM items WHERE id = 1", "INSERT INTO items (title) VALUES ('c')")
        execute(lab.source, "FLUSH BINARY LOGS")
        ((last, *_),) = execute(lab.source, "SHOW BINARY LOGS")[-1:]
        execute(lab.source, f"PURGE BINARY LOGS TO '{last}'")
        lab.desk.resume()
        error = lab.stopped()
        assert "has purged its binlog up to" in error.message
        assert "sync resnapshot" in error.way_out
        assert lab.new("SELECT title FROM products ORDER BY 1") == [("a",), ("b",)]  # untouched
        lab.desk.resnapshot()
        lab.until(StreamState.STREAMING)
        execute(lab.source, "INSERT INTO items (title) VALUES ('d')")
        lab.settle()
        assert lab.new("SELECT title FROM products ORDER BY 1") == [("b",), ("c",), ("d",)]


def test_what_a_session_writes_by_settings_of_its_own(
    frail, mysql_new, make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch
):
    """Statements instead of rows, rows without all columns, nothing at all; and the server's own settings changed."""
    monkeypatch.setattr("cdc.vigil.EVERY_SECONDS", 0.3)
    monkeypatch.setattr("cdc.vigil.SESSIONS_EVERY_SECONDS", 0.3)
    lab = make_lab(frail, mysql_new)
    titles = "SELECT title FROM products ORDER BY legacy_id"
    execute(lab.source, "INSERT INTO items (title) VALUES ('a'), ('b')")
    with lab.streaming():
        execute(
            lab.source, "SET SESSION binlog_format = 'STATEMENT'", "INSERT INTO items (title) VALUES ('as a statement')"
        )
        lab.until_true(lambda status: lab.new(titles) == [("a",), ("b",), ("as a statement",)])  # copied again
        lab.until(StreamState.STREAMING)
        with closing(open_session(lab.source)) as session, session.cursor() as cursor:
            cursor.execute("SET SESSION sql_log_bin = 0")
            status = lab.until_true(lambda status: "sql_log_bin = OFF" in str(status.detail.warnings))
            assert f"KILL {session.thread_id()}" in str(status.detail.warnings)
        execute(lab.source, "SET SESSION binlog_row_image = 'MINIMAL'", "UPDATE items SET title = 'A' WHERE id = 1")
        error = lab.stopped()
        assert "a binlog_row_image other than FULL" in error.message
        assert lab.new(titles)[0] == ("a",)
        lab.desk.resnapshot()
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert lab.new(titles)[0] == ("A",)
        with setting(lab.source, "binlog_format", "'STATEMENT'", "'ROW'"):
            error = lab.stopped()
            assert "changed while the stream followed" in error.message
            assert "binlog_format = STATEMENT, ROW is needed" in error.message
            assert lab.desk.position() is None  # nobody may think that all is there
        lab.desk.resnapshot()
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert_equal(lab)


def test_a_lost_history_another_binlog_and_a_new_password(frail, mysql_new, make_lab: MakeLab):
    lab = make_lab(frail, mysql_new)
    account = f"'u_{secrets.token_hex(4)}'@'{LOOPBACK}'"
    admin = lab.source
    execute(admin, "INSERT INTO items (title) VALUES ('a')", f"CREATE USER {account} IDENTIFIED BY 'one'")
    execute(admin, f"GRANT ALL ON *.* TO {account}")
    lab.source = replace(admin, user=account.split("'")[1], password="one")

    def stopped_after(*statements: str, on: Database) -> StreamError:
        lab.desk.want("paused")
        lab.until(StreamState.PAUSED)
        execute(on, *statements)
        lab.desk.resume()
        return lab.stopped()

    def copied_again() -> None:
        lab.desk.resnapshot()
        lab.until(StreamState.STREAMING)
        execute(admin, "INSERT INTO items (title) VALUES ('more')")
        lab.settle()
        assert_equal(lab)

    with lab.streaming():
        error = stopped_after(
            f"DELETE FROM strangler.stream_history WHERE capability = '{lab.mapping.capability}'", on=lab.target
        )
        assert "what the tables looked like at the stored position is lost" in error.message
        assert "strangler sync resnapshot" in error.way_out
        copied_again()
        error = stopped_after("RESET MASTER", on=admin)  # as a server that failed over to one that was set up anew
        assert "which this source never had: it is another server, or was set back" in error.message
        assert "strangler sync resnapshot" in error.way_out
        copied_again()
        error = stopped_after(f"ALTER USER {account} IDENTIFIED BY 'two'", on=admin)
        assert "does not let the stream's account in: Access denied" in error.message
        assert "was its password changed?" in error.way_out
        execute(admin, "INSERT INTO items (title) VALUES ('meanwhile')")
        lab.source = replace(lab.source, password="two")
        lab.desk.resume()
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert_equal(lab)
    execute(admin, f"DROP USER {account}")


def test_a_mariadb_that_was_set_up_anew(mariadb_server, mysql_new, make_lab: MakeLab):
    lab = make_lab(mariadb_server, mysql_new)
    execute(lab.source, "INSERT INTO items (title) VALUES ('a')")
    with lab.streaming():
        lab.desk.want("paused")
        lab.until(StreamState.PAUSED)
        execute(lab.source, "INSERT INTO items (title) VALUES ('meanwhile')", "RESET MASTER")
        lab.desk.resume()
        error = lab.stopped()
        assert "which this source never had" in error.message and "strangler sync resnapshot" in error.way_out
        lab.desk.resnapshot()
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert_equal(lab)


def test_a_target_without_room_is_waited_for(mysql_legacy, frail, make_lab: MakeLab):
    """A MEMORY table that is full gives the very error of a full disk."""
    lab = make_lab(mysql_legacy, frail, target_sql=(f"{PRODUCTS} ENGINE = MEMORY",))
    with setting(lab.target, "max_heap_table_size", "16384", "16777216"), lab.streaming():
        execute(lab.target, "ALTER TABLE products ENGINE = MEMORY")  # takes the limit over
        rows = ", ".join(["(REPEAT('x', 190), 1)"] * 500)
        execute(lab.source, f"INSERT INTO items (title, price) VALUES {rows}")
        status = lab.until(StreamState.RETRYING)
        assert "a database has no room for what it is to write" in str(status.detail.note)
        execute(lab.target, "SET SESSION max_heap_table_size = 64 << 20", "ALTER TABLE products ENGINE = InnoDB")
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert lab.new("SELECT COUNT(*) FROM products") == [(500,)]
        assert lab.quarantine.heads() == []


def test_a_source_that_is_away_is_waited_for(frail, mysql_new, make_lab: MakeLab):
    lab = make_lab(frail, mysql_new)
    with lab.streaming():
        with Writer(lab.source, seed=1).writing():
            lab.until_true(lambda status: status.events > 200)
        frail.kill()  # all at once, with events under way
        status = lab.until(StreamState.RETRYING)
        assert status.detail.note
        time.sleep(8)
        assert lab.desk.status().state is StreamState.RETRYING
        assert (lab.desk.status().lag_seconds or 0) > 5  # the data is getting old, and the figure says so
        frail.start()
        with Writer(lab.source, seed=1, first=5_000_000).writing():
            lab.until(StreamState.STREAMING)
        lab.settle()
        assert_equal(lab)


def test_a_slow_link_that_is_cut(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    with slow_link(lab.source.port, 0.01) as link:
        lab.source = replace(lab.source, port=link.port)
        rows = ", ".join(["('before', 1)"] * 2000)
        execute(lab.source, f"INSERT INTO items (title, price) VALUES {rows}")
        with lab.streaming():
            link.cut()
            lab.until(StreamState.RETRYING)
            link.mend()
            execute(lab.source, "UPDATE items SET title = 'after' WHERE id <= 500")
            lab.settle()
            lab.until(StreamState.STREAMING)
            assert assert_equal(lab) == 2000


def test_a_target_that_is_restarted_is_waited_for(mysql_legacy, frail, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, frail)
    with lab.streaming():
        with Writer(lab.source, seed=2).writing():
            before = lab.until_true(lambda status: status.events > 200).events
            frail.kill()
            frail.start()
            lab.until_true(lambda status: status.state is StreamState.STREAMING and status.events > before + 200)
        lab.settle()
        assert_equal(lab)


def test_a_worker_that_is_not_there_is_seen(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    lab.desk.want("running")
    assert lab.desk.status().state is StreamState.NOT_RUNNING


def test_only_one_worker_writes_a_stream(mysql_legacy, mysql_new, make_lab: MakeLab):
    lab = make_lab(mysql_legacy, mysql_new)
    lock = f"SELECT GET_LOCK(CONCAT('strangler:', MD5('{lab.mapping.capability}/to_new')), 0)"
    with lab.holding(lock), lab.worker():
        lab.desk.want("running")
        assert "another worker writes the stream" in lab.stopped().message


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("hosting", "pair"),
    [
        ("embedded", ("mysql_legacy", "mysql_new")),
        ("embedded", ("mariadb_server", "mysql_new")),
        ("kafka", ("mariadb_server", "mysql_new")),
    ],
)
def test_no_older_event_overwrites_a_newer_row_around_the_copy(
    pair: tuple[str, str], request: pytest.FixtureRequest, make_lab: MakeLab
):
    """Invariant 8: rows are written before, during and after the copy, which takes several chunks."""
    lab = make_lab(request.getfixturevalue(pair[0]), request.getfixturevalue(pair[1]))
    rows = ", ".join(["('before', 1)"] * 5000)
    execute(lab.source, *[f"INSERT INTO items (title, price) VALUES {rows}"] * 9)
    execute(lab.target, "INSERT INTO products (legacy_id, title) VALUES (999999999, 'stray')")
    with Writer(lab.source, seed=3, ids=tuple(range(1, 2000))).writing(), lab.streaming():
        lab.settle()
    with lab.worker():  # and once more, from the stored position
        lab.until(StreamState.STREAMING)
        lab.settle()
        assert assert_equal(lab) > 44_000
