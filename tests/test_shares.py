"""Which tests run one after another on one worker."""

from __future__ import annotations

import pytest

from tests.shares import share_of, turn


@pytest.mark.parametrize(
    ("nodeid", "share"),
    [
        ("tests/cdc/test_kafka.py::test_kafka_away_for_a_while[kafka]", "kafka"),
        ("tests/cdc/test_stream.py::test_truncate_is_followed[kafka]", "kafka"),
        ("tests/cdc/test_faults.py::test_around_the_copy[kafka-pair2]", "kafka"),
        ("tests/cdc/test_faults.py::test_a_purged_binlog", "tests/cdc/test_faults.py"),
        ("tests/strangler/test_journey.py::test_the_journey", "tests/strangler/test_journey.py"),
        ("tests/extracted/catalog/test_mapping.py::test_money", "extracted"),
        ("tests/cdc/test_copy.py::test_a[pair0]", "tests/cdc/test_copy.py::test_a[pair0]"),
        ("tests/cdc/test_stream.py::test_a[embedded]", "tests/cdc/test_stream.py::test_a[embedded]"),
        ("tests/test_architecture.py::test_a", "tests/test_architecture.py"),
    ],
)
def test_what_shares_a_dear_server_or_a_module_stays_together(nodeid: str, share: str) -> None:
    assert share_of(nodeid) == share


def test_the_long_ones_begin_and_single_tests_fill_what_is_left() -> None:
    turns = [
        turn(nodeid)
        for nodeid in (
            "tests/cdc/test_kafka.py::a",
            "tests/cdc/test_kill.py::a",
            "tests/strangler/test_journey.py::a",
            "tests/proxy/test_traffic.py::a",
            "tests/cdc/test_copy.py::a",
            "tests/strangler/dev/test_server.py::a",
        )
    ]
    assert turns == [0, 1, 2, 3, 4, 5]
