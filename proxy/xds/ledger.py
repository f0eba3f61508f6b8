"""What one connected proxy was sent, has acknowledged and has refused, and what it needs next. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.envoy import names
from proxy.envoy.snapshot import TYPES, Resource, Snapshot

KEEPING = "+"  # in a revision of clusters: what follows are the names of old ones

_WORD = {names.CLUSTER: "clusters", names.LISTENER: "listener", names.ROUTES: "routes"}


@dataclass
class Subscription:
    """One resource type on one stream. ``pending`` was sent with ``nonce`` and is not answered yet."""

    wanted: frozenset[str] = frozenset()  # resource names asked for; empty means all
    acked: str | None = None
    pending: str | None = None
    nonce: str = ""
    refused: str | None = None
    why: str = ""


@dataclass(frozen=True)
class Send:
    """Send these resources as this revision."""

    kind: str
    revision: str
    resources: tuple[Resource, ...]


@dataclass
class Ledger:
    """The books of one stream. Feed it what was heard and sent; ask it what to do."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    last_nack: str | None = None
    retired: set[str] = field(default_factory=set)  # names of old clusters that this proxy needs no more

    def heard(self, kind: str, wanted: frozenset[str], version: str, nonce: str, error: str | None) -> None:
        """Take in one DiscoveryRequest. An answer to anything but the last message of its type counts for nothing."""
        known = self.subscriptions.get(kind)
        if known is None or not nonce:
            # The first request of a type on this stream: a proxy that was connected before says what it has.
            self.subscriptions[kind] = Subscription(wanted=wanted, acked=version or None)
            return
        if nonce != known.nonce:
            return
        if error is not None:
            known.refused, known.why, known.pending = known.pending, error, None
            self.last_nack = f"{_WORD.get(kind, kind)}: {error}"
        elif known.pending is not None and version == known.pending:
            known.acked, known.pending = known.pending, None
        if wanted != known.wanted:
            known.wanted = wanted
            known.acked = None  # names were added: the type must be sent again whatever was acknowledged

    def sent(self, kind: str, revision: str, nonce: str) -> None:
        known = self.subscriptions[kind]
        known.pending, known.nonce, known.refused = revision, nonce, None

    def next(self, snapshot: Snapshot, old: tuple[Resource, ...] = ()) -> Send | None:
        """What to send now, if anything: one type at a time, what is named before what names it.

        ``old`` are clusters of versions before that this one no longer has. A proxy that has some of them keeps them
        until they are retired: its workers may still be using the routes that name them.
        """
        for kind in TYPES:
            known = self.subscriptions.get(kind)
            if known is None:
                continue
            step = self._step(kind, known, snapshot, old)
            if known.pending is not None:
                # Something newer replaces a message that is still under way; its answer will then be stale.
                return step if step is not None and step.revision != known.pending else None
            if step is not None:
                return None if known.refused == step.revision else step
        return None

    def applied(self, snapshot: Snapshot) -> bool:
        """Whether every type has been subscribed to and acknowledged."""
        return all(self._has(kind, revision) for kind, revision in snapshot.revisions.items())

    def lingering(self, old: tuple[Resource, ...]) -> frozenset[str]:
        """Old clusters not retired yet."""
        return frozenset(one.name for one in old) - self.retired

    def refusal(self, snapshot: Snapshot) -> str | None:
        """Why the proxy refused a part of this snapshot."""
        for kind, revision in snapshot.revisions.items():
            known = self.subscriptions.get(kind)
            if known is not None and known.refused is not None and _same(known.refused, revision):
                return f"{_WORD.get(kind, kind)}: {known.why}"
        return None

    @property
    def version(self) -> int | None:
        """The version of the routes that the proxy serves."""
        known = self.subscriptions.get(names.ROUTES)
        if known is None or known.acked is None:
            return None
        number = known.acked.partition("-")[0]
        return int(number) if number.isdigit() else None

    def _step(self, kind: str, known: Subscription, snapshot: Snapshot, old: tuple[Resource, ...]) -> Send | None:
        revision, resources = snapshot.revisions[kind], snapshot.resources[kind]
        if kind == names.CLUSTER and old:
            if known.acked is None:
                self.retired.update(one.name for one in old)  # it never had them
            kept = tuple(one for one in old if one.name not in self.retired)
            if kept:
                revision, resources = revision + KEEPING + ",".join(one.name for one in kept), resources + kept
        return None if known.acked == revision else Send(kind, revision, resources)

    def _has(self, kind: str, revision: str) -> bool:
        known = self.subscriptions.get(kind)
        return known is not None and known.acked is not None and _same(known.acked, revision)


def _same(found: str, revision: str) -> bool:
    """Whether a revision is this one, old clusters aside."""
    return found.partition(KEEPING)[0] == revision
