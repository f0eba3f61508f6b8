"""Private servers: settings that change streams rely on, durability settings, accounts, kill and restart."""

from __future__ import annotations

import stat
from pathlib import Path

import pymysql
import pytest

from strangler.dev.server import (
    Command,
    Instance,
    PrivateServer,
    ServerError,
    connect,
    last_lines,
    ping,
    prepare,
)

pytestmark = pytest.mark.real


@pytest.fixture(params=["mysql_legacy", "mariadb_server"])
def server(request: pytest.FixtureRequest) -> PrivateServer:
    found: PrivateServer = request.getfixturevalue(request.param)
    return found


def variable(server: PrivateServer, name: str) -> object:
    with connect(server.database("mysql")) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT @@{name}")
        row = cursor.fetchone()
    assert row
    return row[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("log_bin", 1),
        ("binlog_format", "ROW"),
        ("binlog_row_image", "FULL"),
        ("sync_binlog", 1),
        ("innodb_flush_log_at_trx_commit", 1),
        ("local_infile", 1),
        ("bind_address", "127.0.0.1"),
    ],
)
def test_settings(server: PrivateServer, name: str, value: object) -> None:
    assert variable(server, name) == value


def test_mysql_has_gtids(mysql_legacy: PrivateServer) -> None:
    assert variable(mysql_legacy, "gtid_mode") == "ON"


def test_the_password_is_private_and_nobody_gets_in_without(server: PrivateServer) -> None:
    assert stat.S_IMODE((server.instance.folder / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.instance.init_file.stat().st_mode) == 0o600
    for user in ("root", "strangler", ""):
        with pytest.raises(pymysql.MySQLError):
            pymysql.connect(host="127.0.0.1", port=server.port, user=user, password="")


def test_a_committed_row_survives_kill_and_the_port_stays(server: PrivateServer) -> None:
    database = server.create_schema("survivor")
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE survivor.t (id INT PRIMARY KEY)")
        cursor.execute("INSERT INTO survivor.t VALUES (7)")
    port, pid = server.port, server.pid
    server.kill()
    assert ping(database) is not None
    server.restart()
    assert server.port == port
    assert server.pid != pid
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM survivor.t")
        assert cursor.fetchall() == ((7,),)
    server.drop_schema("survivor")


class Broken:
    """A program that says why it can't start."""

    kind = "mysql"

    def initialise(self, instance: Instance) -> None:
        instance.data.mkdir()

    def command(self, instance: Instance) -> Command:
        return Command(("sh", "-c", "echo 'no such engine'; exit 1"))


def test_a_server_that_ends_at_start_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="no such engine"):
        PrivateServer(Broken(), tmp_path / "broken").start()


def test_a_folder_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kind").write_text("mariadb")
    with pytest.raises(ServerError, match="holds data of mariadb"):
        prepare(Broken(), Instance(tmp_path, 1, 1))


def test_an_interrupted_initialisation_is_done_afresh(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "half").touch()
    prepare(Broken(), Instance(tmp_path, 1, 1))
    assert not (tmp_path / "data" / "half").exists()


def test_last_lines_of_a_missing_log(tmp_path: Path) -> None:
    assert "does not exist" in last_lines(tmp_path / "none.log")
