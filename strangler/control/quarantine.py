"""What the streams could not apply: looking at it, and having it tried again or thrown away by the stream's worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdc.quarantine import Action, HeldEvent
from cdc.state import Direction, StreamState, StreamStatus
from strangler.config import Config
from strangler.control import naming
from strangler.control.audit import Audit, Entry
from strangler.control.models import HeldEventOut, QuarantineChange, QuarantineChangeOut, QuarantineOut, QuarantineUse
from strangler.control.operation import Operation, Operations
from strangler.control.phase_store import PhaseStore
from strangler.control.streams import StreamName, Streams
from strangler.exits import Failed, Refused, StranglerError, Usage

_ABLE = frozenset({StreamState.STREAMING, StreamState.STOPPED})
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class _Chosen:
    """Keys of one stream: ``heads`` are their first events; ``asked`` the events named, None for all."""

    stream: StreamName
    heads: list[HeldEvent]
    asked: list[int] | None


class Quarantine:
    def __init__(
        self,
        config: Config,
        streams: Streams,
        phases: PhaseStore,
        audit: Audit,
        operations: Operations,
        now: Callable[[], datetime],
    ) -> None:
        self._config, self._streams, self._phases = config, streams, phases
        self._audit, self._operations, self._now = audit, operations, now

    async def events(self, capabilities: Sequence[str]) -> QuarantineOut:
        """The first event of every key. What can't be asked is named in ``unreachable``."""
        names = self._streams.of(capabilities)
        found = await asyncio.gather(*(self._heads(name) for name in names))
        events = [event for heads in found if not isinstance(heads, Failed) for event in heads]
        return QuarantineOut(
            events=[_out(event) for event in events],
            use=[u for u in await asyncio.gather(*(self._use(name) for name in names)) if u is not None],
            unreachable=[heads.message for heads in found if isinstance(heads, Failed)],
        )

    async def show(self, id: str) -> QuarantineOut:
        """The event's key: all its events, in order, whole. Raises Usage for an event that is not there."""
        stream, number = self._parsed(id)
        events = await self._streams.quarantined(stream, number)
        if not events:
            raise _gone(id)
        use = await self._use(stream)
        return QuarantineOut(events=[_out(e) for e in events], use=[use] if use else [], unreachable=[])

    async def change(self, action: Action, ids: Sequence[str], asked: QuarantineChange) -> QuarantineChangeOut:
        """Retry the keys of these events (of all, when none is named), or discard exactly these events. Returns when
        the worker has done it. Raises Usage, Refused, Busy, Failed."""
        chosen = await self._chosen(action, ids, asked.capability)
        for one in chosen:
            _able(one.stream, await self._streams.status(*one.stream))
        if asked.dry_run:
            would = [line for one in chosen for line in _would(action, one, await self._waiting(one))]
            return _answer(action, would=would, dry_run=True)
        answers = [await self._carry_out(action, one, asked) for one in chosen]
        left = {name: await self._streams.quarantine_heads(name) for name in dict.fromkeys(a[0] for a in answers)}
        return _answer(
            action,
            applied=[_id(name, n) for name, done in answers for n in done["applied"]],
            discarded=[_id(name, n) for name, done in answers for n in done["discarded"]],
            events=[
                _out(event)
                for name, done in answers
                for event in left[name]
                if event.number in {w["number"] for w in done["waiting"]}
            ],
            rows={table: row for _, done in answers for table, row in done["rows"].items()},
        )

    async def _carry_out(
        self, action: Action, one: _Chosen, asked: QuarantineChange
    ) -> tuple[StreamName, dict[str, Any]]:
        name, capability = one.stream, one.stream.capability
        standing = await asyncio.to_thread(self._phases.of, capability)
        op = Operation(
            "", capability, f"quarantine {action}", asked.actor, asked.reason, self._now(), standing.phase, 0
        )
        ids = [event.id for event in one.heads] if one.asked is None else [_id(name, n) for n in one.asked]
        with self._operations.hold(op):
            try:
                done = await self._streams.release(name, action, one.asked, _ANSWER_SECONDS)
            except StranglerError as error:
                await self._write(action, asked, name, ids, None, error.message)
                raise
            await self._write(action, asked, name, ids, done, "")
        return name, done

    async def _write(
        self,
        action: Action,
        asked: QuarantineChange,
        name: StreamName,
        ids: Sequence[str],
        done: dict[str, Any] | None,
        detail: str,
    ) -> None:
        after = None
        if done is not None:
            after = {
                "applied": [_id(name, n) for n in done["applied"]],
                "discarded": [_id(name, n) for n in done["discarded"]],
                "waiting": [_id(name, w["number"]) for w in done["waiting"]][:100],
            }
        entry = Entry(
            at=self._now(),
            actor=asked.actor,
            action=f"quarantine {action}",
            capability=name.capability,
            reason=asked.reason,
            before={"events": list(ids)[:100]},
            after=after,
            done=done is not None and not (action is Action.RETRY and done["waiting"]),
            detail=detail,
        )
        await asyncio.to_thread(self._audit.write, entry)

    async def _chosen(self, action: Action, ids: Sequence[str], capability: str | None) -> list[_Chosen]:
        if not ids:
            if action is Action.DISCARD:
                raise Usage("discarding wants the event's id: see strangler quarantine list")
            names = [naming.known(self._config, capability)] if capability else list(self._config.capabilities)
            streams = self._streams.of(names)
            found = [_Chosen(stream, await self._streams.quarantine_heads(stream), None) for stream in streams]
            return [one for one in found if one.heads]
        by_stream: dict[StreamName, list[int]] = {}
        for id in ids:
            name, number = self._parsed(id)
            by_stream.setdefault(name, []).append(number)
        chosen = []
        for name, numbers in by_stream.items():
            events = {n: await self._streams.quarantined(name, n) for n in numbers}
            for n, of_key in events.items():
                if not of_key:
                    raise _gone(_id(name, n))
            heads = {of_key[0].number: of_key[0] for of_key in events.values()}
            chosen.append(_Chosen(name, list(heads.values()), numbers))
        return chosen

    async def _waiting(self, one: _Chosen) -> dict[int, list[HeldEvent]]:
        return {head.number: await self._streams.quarantined(one.stream, head.number) for head in one.heads}

    async def _heads(self, name: StreamName) -> list[HeldEvent] | Failed:
        try:
            return await self._streams.quarantine_heads(name)
        except Failed as failed:
            return failed

    async def _use(self, name: StreamName) -> QuarantineUse | None:
        try:
            held = (await self._streams.status(*name)).quarantine
        except Failed:
            return None
        bounds = self._config.capabilities[name.capability].quarantine
        return QuarantineUse(
            capability=str(name),
            keys=held.keys,
            events=held.events,
            bytes=held.bytes,
            max_events=bounds.max_events,
            max_bytes=bounds.bounds.max_bytes,
        )

    def _parsed(self, id: str) -> tuple[StreamName, int]:
        """``catalog-12``, or ``catalog.back-12``. Raises Usage."""
        name, _, number = id.rpartition("-")
        if not name or not number.isdigit():
            raise Usage(f"{id!r} is no event: its id looks like catalog-12, see strangler quarantine list")
        back = name.endswith(".back")
        capability = naming.known(self._config, name.removesuffix(".back"))
        stream = StreamName(capability, Direction.TO_LEGACY if back else Direction.TO_NEW)
        if stream not in self._streams.of([capability]):
            raise _gone(id)
        return stream, int(number)


def _gone(id: str) -> Usage:
    return Usage(f"no event {id} is in quarantine", ["strangler quarantine list"])


def _id(stream: StreamName, number: int) -> str:
    return f"{stream}-{number}"


def _out(event: HeldEvent) -> HeldEventOut:
    return HeldEventOut(**event.to_json())


def _able(stream: StreamName, status: StreamStatus) -> None:
    """Only the stream's worker may write its rows, and it must not be told to do nothing."""
    if status.state in _ABLE:
        return
    name = f"{stream.capability} --back" if stream.direction is Direction.TO_LEGACY else stream.capability
    way_out = {
        StreamState.PAUSED: f"strangler sync resume {name}",
        StreamState.NOT_RUNNING: "see strangler ps: its worker does not answer",
        StreamState.ABSENT: f"strangler sync start {name}",
    }.get(status.state, f"again when it is streaming: strangler sync status {stream.capability}")
    raise Refused(
        f"the stream of {stream} is {status.state}: only its worker may write rows, between two batches", [way_out]
    )


def _would(action: Action, one: _Chosen, keys: dict[int, list[HeldEvent]]) -> list[str]:
    lines = []
    for events in keys.values():
        head, number = events[0], len(events)
        if action is Action.RETRY:
            what = f"{number:,} event{'s' if number > 1 else ''} of {head.table} {head.key}"
            lines.append(f"apply {what} ({head.id} first), in order, in one transaction; what fails stays")
            continue
        for place, event in enumerate(events):
            if event.number in (one.asked or ()):
                lines.append(f"throw away {event.id}: {event.op} {event.table} {event.key} at {event.position}")
                if place == 0 and number > 1:
                    behind = "event that waits" if number == 2 else f"{number - 1:,} events that wait"
                    lines.append(f"apply the {behind} behind it, in order")
    return lines


def _answer(action: Action, *, dry_run: bool = False, **parts: Any) -> QuarantineChangeOut:
    out = {"would": [], "applied": [], "discarded": [], "events": [], "rows": {}, **parts}
    done = not dry_run and not (action is Action.RETRY and out["events"])
    return QuarantineChangeOut(action=action, dry_run=dry_run, done=done, **out)
