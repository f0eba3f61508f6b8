"""Settings and rights of a server, judged from values, and read off real servers."""

from __future__ import annotations

import pytest

from cdc.database import Database
from strangler.dev.server import PrivateServer, connect
from strangler.dev.settings_check import Settings, read, wrong_as_source, wrong_as_target

ALL = ["GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION"]
GOOD = {
    "version": "8.0.36",
    "log_bin": "ON",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_row_value_options": "",
    "gtid_mode": "ON",
    "enforce_gtid_consistency": "ON",
    "server_id": "1",
    "local_infile": "ON",
}


def test_a_good_server() -> None:
    assert wrong_as_source(Settings(GOOD, ALL)) == []
    assert wrong_as_target(Settings(GOOD, ALL)) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("log_bin", "OFF", "log_bin is OFF"),
        ("binlog_format", "STATEMENT", "binlog_format is STATEMENT, it must be ROW"),
        ("binlog_row_image", "MINIMAL", "binlog_row_image is MINIMAL"),
        ("binlog_row_value_options", "PARTIAL_JSON", "JSON changes incomplete"),
        ("gtid_mode", "OFF", "gtid_mode is OFF"),
        ("server_id", "0", "server_id is 0"),
    ],
)
def test_each_setting_of_a_source(name: str, value: str, said: str) -> None:
    (wrong,) = wrong_as_source(Settings({**GOOD, name: value}, ALL))
    assert said in wrong.what
    assert "[mysqld]" in wrong.fix


def test_mariadb_needs_no_gtid_mode() -> None:
    settings = {name: value for name, value in GOOD.items() if "gtid" not in name} | {"version": "11.4.5-MariaDB-log"}
    assert wrong_as_source(Settings(settings, ALL)) == []


def test_a_target_without_local_infile() -> None:
    (wrong,) = wrong_as_target(Settings({**GOOD, "local_infile": "OFF"}, ALL))
    assert "local_infile" in wrong.fix


def test_missing_rights_are_named() -> None:
    grants = ["GRANT SELECT, RELOAD ON *.* TO `a`@`%`", "GRANT SELECT (`x`), BINLOG MONITOR ON `s`.* TO `a`@`%`"]
    (wrong,) = wrong_as_source(Settings(GOOD, grants))
    assert wrong.what == "the account lacks SHOW DATABASES, LOCK TABLES, REPLICATION SLAVE"
    assert wrong.fix.startswith("GRANT SHOW DATABASES, LOCK TABLES, REPLICATION SLAVE ON *.*")


@pytest.mark.real
@pytest.mark.parametrize("fixture", ["mysql_legacy", "mariadb_server"])
def test_our_own_servers_are_good(fixture: str, request: pytest.FixtureRequest) -> None:
    server: PrivateServer = request.getfixturevalue(fixture)
    settings = read(server.database("mysql"))
    assert settings.mariadb == (server.kind == "mariadb")
    assert wrong_as_source(settings) + wrong_as_target(settings) == []


@pytest.mark.real
@pytest.mark.parametrize("fixture", ["mysql_legacy", "mariadb_server"])
def test_an_account_with_few_rights_on_a_real_server(fixture: str, request: pytest.FixtureRequest) -> None:
    server: PrivateServer = request.getfixturevalue(fixture)
    with connect(server.database("mysql")) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE USER 'few'@'127.0.0.1' IDENTIFIED BY 'few-Rights-1'")
        cursor.execute("GRANT SELECT, RELOAD, LOCK TABLES, SHOW DATABASES ON *.* TO 'few'@'127.0.0.1'")
    try:
        found = wrong_as_source(read(Database("127.0.0.1", server.port, "few", "few-Rights-1", "mysql")))
        assert [wrong.what for wrong in found] == ["the account lacks REPLICATION SLAVE, REPLICATION CLIENT"]
        with connect(server.database("mysql")) as connection, connection.cursor() as cursor:
            cursor.execute("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'few'@'127.0.0.1'")
        assert wrong_as_source(read(Database("127.0.0.1", server.port, "few", "few-Rights-1", "mysql"))) == []
    finally:
        with connect(server.database("mysql")) as connection, connection.cursor() as cursor:
            cursor.execute("DROP USER 'few'@'127.0.0.1'")
