from __future__ import annotations

import pytest

from cdc.copy.key import bound, literal, shown, signature
from cdc.schema import Column, Table, UniqueKey


def column(kind: str, charset: str | None = None) -> Column:
    return Column("k`", kind, kind, False, False, False, charset=charset, collation=charset and f"{charset}_bin")


@pytest.mark.parametrize(
    ("kind", "charset", "sql", "text", "made"),
    [
        ("bigint", None, "CONCAT(`k```)", "18446744073709551615", "18446744073709551615"),
        ("decimal", None, "CONCAT(`k```)", "-1.50", "-1.50"),
        ("double", None, "CONCAT(`k``` + 0e0)", "0.1", "0.1e0"),
        ("double", None, "CONCAT(`k``` + 0e0)", "1e300", "1e300"),
        ("enum", "utf8mb4", "CONCAT(`k``` + 0)", "2", "2"),
        ("bit", None, "CONCAT(`k``` + 0)", "255", "255"),
        ("varchar", "latin1", "HEX(`k```)", "E427", "_latin1 x'E427'"),
        ("char", "utf8mb4", "HEX(`k```)", "", "_utf8mb4 ''"),
        ("binary", None, "HEX(`k```)", "00FF", "x'00FF'"),
        ("varbinary", None, "HEX(`k```)", "", "''"),
        ("datetime", None, "CONCAT(`k```)", "1969-12-31 23:59:59.5", "'1969-12-31 23:59:59.5'"),
        ("uuid", None, "CONCAT(`k```)", "0-0", "'0-0'"),
    ],
)
def test_keys_are_literals_of_their_own_type(kind: str, charset: str | None, sql: str, text: str, made: str):
    assert shown(column(kind, charset)) == sql
    assert literal(column(kind, charset), text) == made


def test_a_bound_has_a_literal_per_column():
    assert bound([column("int"), column("varbinary")], ["7", "AB"]) == ("7", "x'AB'")


def test_another_collation_is_another_order():
    def table(collation: str) -> Table:
        k = Column("k", "varchar", "varchar(9)", False, False, False, charset="utf8mb4", collation=collation)
        return Table("t", {"k": k}, (UniqueKey("PRIMARY", ("k",)),), (), 0)

    assert signature(table("utf8mb4_bin")) != signature(table("utf8mb4_general_ci"))
