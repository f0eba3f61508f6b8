from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from proxy.flags import Flag, FlagSet, Hold
from proxy.routes import Side
from proxy.store import Conflict, FlagStore, Outcome, decode, encode, engine_for, metadata

WHO = {"actor": "oncall", "reason": "quiet evening", "action": "flag set catalog --percent 40"}


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.real)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlagStore]:
    """The same promises on both databases."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'control.db'}"
    else:
        url = request.getfixturevalue("fresh_schema")(request.getfixturevalue("mysql_new")).url
    store = FlagStore(engine_for(url))
    store.create()
    yield store
    metadata.drop_all(store.engine)
    store.engine.dispose()


def test_an_empty_store_is_at_version_0(store: FlagStore) -> None:
    assert store.current() == FlagSet(0)
    assert store.at(0) == FlagSet(0)
    assert store.history() == []


def test_every_change_is_a_new_version_with_who_why_and_when(store: FlagStore) -> None:
    first = store.commit(FlagSet(1, {"GET /é": Flag(40)}), expected=0, **WHO)
    second = store.commit(FlagSet(2, {"GET /é": Flag(60)}), expected=1, **WHO)
    assert (first.version, second.version) == (1, 2)
    assert store.current() == second
    assert store.at(1) == first
    newest, oldest = store.history()
    assert (newest.version, newest.base, oldest.version) == (2, 1, 1)
    assert (oldest.actor, oldest.reason, oldest.action) == (WHO["actor"], WHO["reason"], WHO["action"])
    assert oldest.outcome is Outcome.PENDING
    assert abs(oldest.at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_refused_version_is_kept_but_never_current(store: FlagStore) -> None:
    store.commit(FlagSet(1, {"GET /a": Flag(40)}), expected=0, **WHO)
    store.settle(1, Outcome.APPLIED)
    store.commit(FlagSet(2, {"GET /a": Flag(50)}), expected=1, **WHO)
    store.settle(2, Outcome.REFUSED, "no such regex")
    assert store.current().version == 1
    assert store.commit(FlagSet(2, {}), expected=1, **WHO).version == 3
    assert [(one.version, one.outcome, one.detail) for one in store.history()] == [
        (3, Outcome.PENDING, ""),
        (2, Outcome.REFUSED, "no such regex"),
        (1, Outcome.APPLIED, ""),
    ]


def test_who_read_an_older_version_is_told(store: FlagStore) -> None:
    store.commit(FlagSet(1), expected=0, **WHO)
    with pytest.raises(Conflict, match="the flags are at version 1, not 0") as conflict:
        store.commit(FlagSet(1), expected=0, **WHO)
    assert (conflict.value.expected, conflict.value.found) == (0, 1)


def test_writers_at_once_make_one_version_and_conflicts(store: FlagStore) -> None:
    store.commit(FlagSet(1), expected=0, **WHO)
    got: list[object] = []

    def write() -> None:
        try:
            got.append(store.commit(FlagSet(2), expected=1, **WHO).version)
        except Conflict as conflict:
            got.append(conflict)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one for one in got if one == 2] == [2]
    assert sum(isinstance(one, Conflict) for one in got) == 7


@pytest.mark.parametrize(("word", "said"), [("actor", "an actor"), ("reason", "a reason")])
def test_without_actor_or_reason_nothing_is_stored(store: FlagStore, word: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"{said} is needed, it goes into the audit"):
        store.commit(FlagSet(1), expected=0, **{**WHO, word: "  "})
    assert store.current().version == 0


def test_a_version_that_never_was(store: FlagStore) -> None:
    with pytest.raises(KeyError, match="there is no version 7"):
        store.at(7)


def test_flags_survive_being_written_down() -> None:
    flags = {
        "GET /a": Flag(0.01, 5, Side.NEW, frozenset({"b", "a"}), fallback=False),
        "GET /b": Flag(0.01, 5, Side.NEW, frozenset({"b", "a"}), fallback=False),
        "GET /c": Flag(),
    }
    holds = {"catalog": Hold("17", 2_000), "returns": Hold("16", 900, Side.NEW)}
    kept = {name: flag for name, flag in flags.items() if flag != Flag()}
    assert decode(3, encode(FlagSet(3, flags, holds))) == FlagSet(3, kept, holds)
