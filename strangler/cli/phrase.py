"""Figures as people read them. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from strangler.gates import duration

__all__ = ["bar", "clock", "count", "duration", "lag", "milliseconds", "pair", "percent"]


def percent(value: float | None) -> str:
    """``40 %``, ``0.5 %``; ``mixed`` when routes differ."""
    return "mixed" if value is None else f"{value:g} %"


def bar(value: float | None, cells: int = 10) -> str:
    """Ten cells; anything above zero shows at least one, anything below a hundred leaves at least one empty."""
    if value is None:
        return "·" * cells
    full = round(value / 100 * cells)
    if 0 < value < 100:
        full = min(max(full, 1), cells - 1)
    return "█" * full + "░" * (cells - full)


def count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")


def pair(sides: dict[str, Any] | None, form: Any) -> str:
    """``6,012 | 4,007``: legacy first."""
    return "-" if sides is None else f"{form(sides['legacy'])} | {form(sides['new'])}"


def lag(seconds: float | None) -> str:
    return "not measured" if seconds is None else duration(seconds)


def clock(moment: str | None) -> str:
    """The local time of an ISO moment; with the day when it wasn't today."""
    if moment is None:
        return "-"
    at = datetime.fromisoformat(moment).astimezone()
    return at.strftime("%H:%M" if at.date() == datetime.now().astimezone().date() else "%Y-%m-%d %H:%M")


def time_of_day(moment: str) -> str:
    """The local time of an ISO moment, with seconds."""
    return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S")
