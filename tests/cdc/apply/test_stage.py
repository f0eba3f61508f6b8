"""Which rows LOAD DATA may have."""

from __future__ import annotations

import pytest

from cdc.apply import stage as stage_module
from cdc.apply.stage import _apart


def test_rows_that_are_too_large_for_load_data_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "LARGE_BYTES", 8)
    assert _apart(b"1\ta\n") == (b"1\ta\n", [])
    assert _apart(b"1\taaa\n2\tbbb\n") == (b"1\taaa\n2\tbbb\n", [])  # many small ones are no large one
    assert _apart(b"1\ta\n2\tlarge row\n3\tc\n") == (b"1\ta\n3\tc\n", [b"2\tlarge row"])
    assert _apart(b"2\tlarge row\n") == (b"", [b"2\tlarge row"])
