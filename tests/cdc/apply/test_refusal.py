"""Which refusals are one row's own."""

from __future__ import annotations

import pymysql
import pytest

from cdc.apply.refusal import of_other_rows, of_the_row
from cdc.apply.stage import StagingError
from cdc.apply.text import MissingColumn


@pytest.mark.parametrize(
    ("error", "own"),
    [
        (pymysql.err.OperationalError(3819, "Check constraint 'c' is violated."), True),
        (pymysql.err.OperationalError(4025, "CONSTRAINT `c` failed for `a`.`b`"), True),
        (pymysql.err.IntegrityError(1062, "Duplicate entry"), True),
        (pymysql.err.IntegrityError(1452, "a foreign key constraint fails"), True),
        (pymysql.err.IntegrityError(1048, "Column 'x' cannot be null"), True),
        (pymysql.err.DataError(1406, "Data too long"), True),
        (pymysql.err.DataError(1264, "Out of range value"), True),
        (pymysql.err.DataError(1690, "BIGINT value is out of range in '(a - b)'"), True),
        (pymysql.err.OperationalError(3140, "Invalid JSON text"), True),
        (pymysql.err.OperationalError(1242, "Subquery returns more than 1 row"), True),
        (pymysql.err.OperationalError(1644, "no more than ten"), True),
        (StagingError("values do not fit"), True),
        (pymysql.err.OperationalError(1644, "strangler: legacy owns items"), False),
        (pymysql.err.ProgrammingError(1146, "Table doesn't exist"), False),
        (pymysql.err.OperationalError(1054, "Unknown column"), False),
        (pymysql.err.OperationalError(1142, "INSERT command denied"), False),
        (pymysql.err.OperationalError(1114, "The table is full"), False),
        (pymysql.err.OperationalError(1290, "running with --read-only"), False),
        (pymysql.err.OperationalError(1205, "Lock wait timeout"), False),
        (pymysql.err.OperationalError(1213, "Deadlock found"), False),
        (pymysql.err.OperationalError(3105, "The value specified for generated column is not allowed"), False),
        (pymysql.err.OperationalError(1364, "Field 'x' doesn't have a default value"), False),
        (pymysql.err.InterfaceError(0, ""), False),
        (MissingColumn("x"), False),
        (TypeError("x"), False),
    ],
)
def test_what_is_set_aside(error: Exception, own: bool) -> None:
    assert of_the_row(error) is own


def test_what_other_rows_may_mend() -> None:
    assert of_other_rows(pymysql.err.IntegrityError(1062, "Duplicate entry"))
    assert of_other_rows(pymysql.err.IntegrityError(1451, "Cannot delete or update a parent row"))
    assert not of_other_rows(pymysql.err.OperationalError(3819, "Check constraint"))
    assert not of_other_rows(StagingError("x"))
