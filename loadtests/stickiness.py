"""Did every shopper stay on one side? ``python -m loadtests.stickiness OUT``.

Two promises are checked, per capability: within one version of the proxy's routes a shopper meets the same side on
every route; and from one version to a later one, while the percent to new only grew, nobody moves back from new to
legacy. What counts is the version that each response names, not the clock: responses overtake each other. A fallback
counts as new: that is where the proxy had sent the shopper, and legacy only answered because new failed.
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtests import flips as flip_file
from loadtests import responses
from loadtests.flips import Flip
from loadtests.responses import Record
from loadtests.routes import capability_of

MOST_EXAMPLES = 20


@dataclass
class Stickiness:
    """``moved_back`` and ``mixed`` count shoppers per capability; ``users`` those with a response from a named side."""

    users: int = 0
    responses: int = 0
    moved_back: int = 0
    mixed: int = 0
    both_sides: int = 0
    flips: int = 0
    fallbacks: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.moved_back == 0 and self.mixed == 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def _example(self, text: str) -> None:
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(text)


class Growth:
    """Which versions belong to one stretch in which a capability's percent never fell."""

    def __init__(self, flips: Iterable[Flip]) -> None:
        ordered = sorted(flips, key=lambda flip: flip.version)
        self._falls = [
            later.version for earlier, later in itertools.pairwise(ordered) if later.percent < earlier.percent
        ]

    def stretch(self, version: int) -> int:
        """The number of the stretch that ``version`` belongs to, from 0."""
        return bisect.bisect_right(self._falls, version)


def judge(records: Iterable[Record], flips: Sequence[Flip]) -> Stickiness:
    """Pure. Without flips the whole run counts as one stretch of growth."""
    found = Stickiness(flips=len(flips))
    seen: dict[tuple[str, int], dict[int, set[str]]] = {}
    users = set()
    for record in records:
        capability = capability_of(record.route)
        if capability is None or record.side not in ("legacy", "new"):
            continue
        found.responses += 1
        users.add(record.user)
        found.fallbacks += record.fallback
        side = "new" if record.fallback else record.side
        seen.setdefault((capability, record.user), {}).setdefault(record.version, set()).add(side)
    found.users = len(users)
    growth = {name: Growth(flip for flip in flips if flip.capability == name) for name, _ in seen}
    for (capability, user), sides in sorted(seen.items()):
        found.both_sides += len(set().union(*sides.values())) > 1
        _judge_user(found, capability, user, sides, growth[capability])
    return found


def _judge_user(found: Stickiness, capability: str, user: int, sides: dict[int, set[str]], growth: Growth) -> None:
    mixed = [version for version, met in sorted(sides.items()) if len(met) > 1]
    if mixed:
        found.mixed += 1
        found._example(f"{capability}: user {user} met both sides in version {mixed[0]}")
    first_new: dict[int, int] = {}  # by stretch
    for version, met in sorted(sides.items()):
        stretch = growth.stretch(version)
        if "legacy" in met and stretch in first_new and first_new[stretch] < version:
            found.moved_back += 1
            found._example(
                f"{capability}: user {user} was on new in version {first_new[stretch]} and on legacy in {version}, "
                "though the percent had not fallen"
            )
            return
        if "new" in met:
            first_new.setdefault(stretch, version)


def check(folder: Path | str) -> Stickiness:
    """Judge a run's folder. Raises FileNotFoundError if it holds no records."""
    folder = Path(folder)
    return judge(responses.read(folder), flip_file.read(folder))


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 everybody stayed, 1 somebody did not, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.stickiness", description="Did everybody stay?")
    parser.add_argument("out", type=Path, help="the run's folder")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    try:
        found = check(options.out)
    except (FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(found.as_json()))
    else:
        for example in found.examples:
            print(example)
        print(
            f"{found.users:,} users, {found.responses:,} responses, {found.flips} flips: "
            f"{found.moved_back} moved back, {found.mixed} met both sides at once"
        )
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main())
