"""Who died, how often and how, read from the supervisor's log."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

STARTED = re.compile(r"supervisord started with pid")
EXITED = re.compile(r"^(?P<at>\S+ [\d:]+),\d+ \w+ exited: (?P<name>\S+) \((?P<how>.*); not expected\)")


@dataclass(frozen=True)
class Deaths:
    """``at`` is the local time of the last one, ``how`` the supervisor's words ("terminated by SIGKILL")."""

    count: int
    at: str
    how: str


def deaths(log: str) -> dict[str, Deaths]:
    """Per process, since the supervisor was last started. Pure."""
    seen: dict[str, list[re.Match[str]]] = defaultdict(list)
    for line in log.splitlines():
        if STARTED.search(line):
            seen.clear()
        elif match := EXITED.match(line):
            seen[match["name"]].append(match)
    return {name: Deaths(len(found), found[-1]["at"], found[-1]["how"]) for name, found in seen.items()}
