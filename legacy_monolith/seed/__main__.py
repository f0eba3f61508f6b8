"""The command line of the seed."""

from __future__ import annotations

import argparse
import os
import sys
import time

import pymysql
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from legacy_monolith.gateway.ledger import Ledger
from legacy_monolith.seed.people import PASSWORD
from legacy_monolith.seed.plan import FEWEST, MOST, Plan
from legacy_monolith.seed.run import NotEmpty, seed
from legacy_monolith.settings import SettingsError, database_url


def item_count(written: str) -> int:
    count = int(written.replace("_", "").replace(",", ""))
    if not FEWEST <= count <= MOST:
        raise argparse.ArgumentTypeError(f"must be from {FEWEST:,} to {MOST:,}, not {count:,}")
    return count


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m legacy_monolith.seed", description="Fill the migrated schema in DATABASE_URL with a shop."
    )
    parser.add_argument("--items", type=item_count, required=True, help="how many items, from 1,000 to 10,000,000")
    parser.add_argument("--seed", type=int, default=1, help="another number, another shop (default 1)")
    parser.add_argument("--if-empty", action="store_true", help="a shop that has data already is no error")
    parser.add_argument(
        "--gateway-ledger",
        default=os.environ.get("GATEWAY_LEDGER"),
        help="the payment gateway's ledger, to hold what the seeded orders have paid (default: GATEWAY_LEDGER);"
        " without it they can't be refunded",
    )
    options = parser.parse_args(arguments)
    plan, began = Plan(options.items, options.seed), time.monotonic()
    console = Console(stderr=True)
    try:
        url = database_url()
        with Progress(
            TextColumn("items"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        ) as progress:
            task = progress.add_task("items", total=plan.items, rate="")
            total = 0

            def loaded(table: str, rows: int) -> None:
                nonlocal total
                total += rows
                rate = f"{total / (time.monotonic() - began):,.0f} rows/s"
                if table == "indexes":
                    rate = "building indexes"
                progress.update(task, advance=rows if table == "items" else 0, rate=rate)

            seed(url, plan, loaded, Ledger(options.gateway_ledger) if options.gateway_ledger else None)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except NotEmpty as error:
        if options.if_empty:
            print("the shop has data already, nothing was changed")
            return 0
        print(f"error: {error} (or say --if-empty)", file=sys.stderr)
        return 1
    except pymysql.err.ProgrammingError as error:
        print(f"error: {error.args[-1]}: run python -m legacy_monolith.migrate first", file=sys.stderr)
        return 1
    except pymysql.err.OperationalError as error:
        print(f"error: the database refused: {error.args[-1]}", file=sys.stderr)
        return 1
    seconds = time.monotonic() - began
    print(
        f"{plan.items:,} items, {plan.users:,} users, {total:,} rows in all, in {seconds:.1f} s"
        f" ({total / seconds:,.0f} rows/s). Log in as user1@shop.test or staff1@shop.test, password {PASSWORD}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
