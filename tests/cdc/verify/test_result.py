"""What a comparison may call equal."""

from __future__ import annotations

from datetime import UTC, datetime

from cdc.verify.result import TableResult, VerifyResult
from strangler.evidence import of_verify


def test_rows_that_never_stood_still_are_not_called_equal() -> None:
    result = VerifyResult("catalog", (TableResult("items", 90, 1.0), TableResult("brands", 10, 1.0, unsettled=2)))
    assert not result.equal
    evidence = of_verify("catalog", datetime(2026, 11, 23, tzinfo=UTC), result.to_json())
    assert not evidence.ok
    assert evidence.summary == "2 of 100 rows kept changing, so they are not known to be equal"


def test_repaired_differences_are_equal() -> None:
    assert TableResult("items", 90, 1.0, missing=({"id": 1},), missing_total=1, repaired=({"id": 1},)).equal
    assert not TableResult("items", 90, 1.0, missing=({"id": 1},), missing_total=2, repaired=({"id": 1},)).equal
