"""Options that many commands share, so that they are spelt and explained alike."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it goes into the audit.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, in order, and change nothing.")]
CapabilityName = Annotated[str, typer.Argument(metavar="CAPABILITY", help="As in strangler.toml.")]
Percent = Annotated[float | None, typer.Option("--percent", metavar="N", help="Of users, 0 to 100.")]
