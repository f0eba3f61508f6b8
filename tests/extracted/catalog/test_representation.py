from __future__ import annotations

from datetime import datetime

import pytest

from extracted.catalog.representation import money, pieces, shop_time


@pytest.mark.parametrize(
    ("cents", "text"),
    [(1250, "12.50"), (5, "0.05"), (0, "0.00"), (None, None), (-150, "-1.50"), (9999999999, "99999999.99")],
)
def test_money(cents: int | None, text: str | None) -> None:
    assert money(cents) == text


def test_utc_is_shown_in_the_shops_time_without_fractions() -> None:
    assert shop_time(datetime(2026, 1, 1, 3, 0, 0, 999_999)) == "2025-12-31T19:00:00-08:00"


def test_pieces_of_blanks_are_not_shown() -> None:
    assert pieces(None) == pieces("[]") == pieces('["", "  "]') == []
    assert pieces('["a", " b ", "", "q\\"é"]') == ["a", "b", 'q"é']
