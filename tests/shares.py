"""What runs on one worker when several run the real tests at once (``--dist loadgroup``), and in which order.

A share is what one worker runs in one go, because its tests need the same thing that is dear to start, or follow each
other. Between workers nothing is shared: each has servers, ports and folders of its own.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

#: The tests of one folder need what is dear to set up: a seeded shop, an Envoy.
FOLDERS = ("loadtests", "extracted", "legacy_monolith", "contracts", "proxy")
#: Each test for itself: they need nothing but the session's servers, or only servers of their own.
SINGLE = (
    *("tests/cdc/test_kill", "tests/cdc/test_copy", "tests/cdc/test_stream", "tests/cdc/test_quarantine"),
    "tests/strangler/dev/",
)


def share_of(nodeid: str) -> str:
    """Of the test with this id: a folder, a file, or the test alone.

    All that needs Kafka is one share: a broker and Connect take longer to start than most tests run.
    """
    file, _, test = nodeid.partition("::")
    if file == "tests/cdc/test_kafka.py" or "[kafka" in test:
        return "kafka"
    if file.startswith(SINGLE):
        return nodeid
    folder = file.split("/")[1]
    return folder if folder in FOLDERS else file


def turn(nodeid: str) -> int:
    """Low ones come first: the longest, so that the workers end together; what is short fills what is left."""
    share = share_of(nodeid)
    if share == "kafka":
        return 0
    if share.startswith("tests/cdc/test_kill"):
        return 1
    if share == nodeid:
        return 5 if share.startswith("tests/strangler/dev/") else 4
    return 2 if share.startswith("tests/strangler/") else 3


class ShareScheduling(LoadScopeScheduling):
    """Hands out whole shares, in place of xdist's own: that loses its groups from pytest 9.2 on (its issue 1386)."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)
