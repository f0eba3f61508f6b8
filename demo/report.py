"""What happened, in a table that a person understands, and whether all of it held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Line:
    """One row of the table. ``holds`` is None where there is nothing to hold."""

    what: str
    figure: str
    holds: bool | None = None
    wanted: str = ""


def lines(
    load: dict[str, Any],
    ledger: dict[str, Any],
    sticky: dict[str, Any],
    verified: dict[str, Any],
    flips_ms: list[float],
    lags_seconds: list[float],
    moves: list[dict[str, Any]],
) -> list[Line]:
    """The rows, from what the load run, the ledger check, the stickiness check, ``verify`` and the moves of
    write ownership found. Pure."""
    by_side = load.get("by_side", {})
    rows = sum(int(table["rows"]) for table in verified["tables"])
    differing = sum(len(table[key]) for table in verified["tables"] for key in ("missing", "extra", "differing"))
    answered_by_new = int(by_side.get("new", 0))
    return [
        Line("requests answered by legacy", f"{int(by_side.get('legacy', 0)):,}"),
        Line("requests answered by new", f"{answered_by_new:,}", answered_by_new > 0, "some"),
        Line("requests that failed", f"{load['errors']:,}", load["errors"] == 0, "0"),
        Line("users sent back while a percent grew", f"{sticky['moved_back']:,}", sticky["moved_back"] == 0, "0"),
        Line("users seen on both sides at once", f"{sticky['mixed']:,}", sticky["mixed"] == 0, "0"),
        Line("flips, longest until every proxy had it", f"{max(flips_ms):.1f} ms" if flips_ms else "-"),
        Line("lag of the data, longest seen", f"{max(lags_seconds) * 1000:.0f} ms" if lags_seconds else "-"),
        Line("write ownership moved, forth and back", f"{len(moves)} times", len(moves) == 2, "2 times"),
        Line("  requests held meanwhile", f"{sum(move['held_requests'] or 0 for move in moves):,}"),
        Line("  longest wait, at most", f"{max((move['hold_ms_max'] for move in moves), default=0):,.0f} ms"),
        Line("rows compared", f"{rows:,}", rows > 0, "some"),
        Line("rows that differ", f"{differing:,}", verified["equal"] and differing == 0, "0"),
        Line("rows in flight that settled equal", f"{verified.get('in_flight', 0):,}"),
        Line("acknowledged writes", f"{ledger['acknowledged']:,}", ledger["acknowledged"] > 0, "some"),
        Line("  found", f"{ledger['found']:,}", ledger["found"] == ledger["acknowledged"], "all"),
        Line("  lost", f"{ledger['lost']:,}", ledger["lost"] == 0, "0"),
        Line("  doubled", f"{ledger['doubled']:,}", ledger["doubled"] == 0, "0"),
    ]


def show(console: Console, rows: list[Line]) -> bool:
    """Print the table; True if every row that has to hold does."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("WHAT HAPPENED", no_wrap=True)
    table.add_column("MEASURED", justify="right", no_wrap=True)
    table.add_column("HAS TO BE", no_wrap=True)
    table.add_column("HELD", no_wrap=True)
    for row in rows:
        table.add_row(row.what, row.figure, row.wanted, {None: "", True: "yes", False: "NO"}[row.holds])
    console.print()
    console.print(table)
    return all(row.holds is not False for row in rows)
