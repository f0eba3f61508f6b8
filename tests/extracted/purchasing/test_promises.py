"""The contract on both sides, told alike."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.purchasing import CONTRACT
from contracts.run import Patience, run_on

pytestmark = pytest.mark.real


def test_the_contract_holds_on_both_sides_and_their_stories_are_the_same(legacy_world: Any, new_world: Any) -> None:
    clients = {"legacy": legacy_world.client(legacy_world.monolith), "new": new_world.client(new_world.app)}
    elsewhere = {"new": new_world.client(new_world.monolith)}
    report = run_on(CONTRACT, clients, Patience(attempts=1), elsewhere)
    assert not report.differences, report.text()
    assert report.passed == 3 * len(CONTRACT.cases)
