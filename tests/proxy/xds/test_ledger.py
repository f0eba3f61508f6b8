"""The books of one stream, without a stream."""

from __future__ import annotations

from proxy.envoy.names import CLUSTER, LISTENER, ROUTES
from proxy.envoy.snapshot import Resource, Snapshot, snapshot
from proxy.xds.ledger import Ledger, Send

ALL: frozenset[str] = frozenset()
NAMED = frozenset({"strangler"})


def version(number: int, *clusters: str) -> Snapshot:
    return snapshot(
        number,
        {
            CLUSTER: tuple(Resource(name, name.encode()) for name in clusters or ("legacy",)),
            LISTENER: (Resource("ingress", b"l"),),
            ROUTES: (Resource("strangler", b"routes %d" % number),),
        },
    )


class Proxy:
    """An Envoy as the ledger hears it."""

    def __init__(self, **known: str) -> None:
        self.ledger = Ledger()
        self.nonce = 0
        for kind, wanted in ((CLUSTER, ALL), (LISTENER, ALL), (ROUTES, NAMED)):
            self.ledger.heard(kind, wanted, known.get(kind.rpartition(".")[2], ""), "", None)

    def send(self, to: Snapshot, old: tuple[Resource, ...] = ()) -> Send | None:
        step = self.ledger.next(to, old)
        if step is not None:
            self.nonce += 1
            self.ledger.sent(step.kind, step.revision, str(self.nonce))
        return step

    def answer(
        self, step: Send, error: str | None = None, nonce: str | None = None, version: str | None = None
    ) -> None:
        wanted = NAMED if step.kind == ROUTES else ALL
        self.ledger.heard(step.kind, wanted, version or step.revision, nonce or str(self.nonce), error)

    def take(self, to: Snapshot, old: tuple[Resource, ...] = ()) -> list[str]:
        """Acknowledge all there is; the kinds in the order in which they came."""
        kinds = []
        while step := self.send(to, old):
            self.answer(step)
            kinds.append(step.kind)
        return kinds


def test_a_new_proxy_gets_what_is_named_before_what_names_it() -> None:
    proxy = Proxy()
    assert proxy.take(version(1)) == [CLUSTER, LISTENER, ROUTES]
    assert proxy.ledger.applied(version(1))
    assert proxy.ledger.version == 1


def test_a_flip_is_one_message() -> None:
    proxy = Proxy()
    proxy.take(version(1))
    assert proxy.take(version(2)) == [ROUTES]


def test_nothing_is_applied_before_every_type_was_asked_for_and_acknowledged() -> None:
    ledger = Ledger()
    assert not ledger.applied(version(1))
    proxy = Proxy()
    for _ in range(3):
        assert not proxy.ledger.applied(version(1))
        step = proxy.send(version(1))
        assert step is not None
        assert proxy.send(version(1)) is None, "one message at a time"
        proxy.answer(step)
    assert proxy.ledger.applied(version(1))


def test_an_answer_to_an_older_message_counts_for_nothing() -> None:
    proxy = Proxy()
    proxy.take(version(1))
    first = proxy.send(version(2))
    second = proxy.send(version(3))
    assert first is not None
    assert second is not None
    proxy.answer(first, nonce=str(proxy.nonce - 1))
    assert not proxy.ledger.applied(version(2))
    proxy.answer(first, nonce=str(proxy.nonce - 1), error="late")
    assert proxy.ledger.refusal(version(3)) is None
    proxy.answer(second)
    assert proxy.ledger.applied(version(3))


def test_an_acknowledgement_names_what_was_sent() -> None:
    proxy = Proxy()
    proxy.take(version(1))
    step = proxy.send(version(2))
    assert step is not None
    proxy.answer(step, version="1-something")
    assert not proxy.ledger.applied(version(2))


def test_a_refusal_is_kept_with_its_reason_and_not_sent_again() -> None:
    proxy = Proxy()
    proxy.take(version(1))
    step = proxy.send(version(2))
    assert step is not None
    proxy.answer(step, error="no such regex", version="1")
    assert proxy.ledger.refusal(version(2)) == "routes: no such regex"
    assert proxy.ledger.last_nack == "routes: no such regex"
    assert proxy.send(version(2)) is None
    assert proxy.ledger.version == 1
    assert proxy.take(version(3)) == [ROUTES]
    assert proxy.ledger.refusal(version(3)) is None
    assert proxy.ledger.last_nack is not None


def test_a_proxy_that_comes_back_says_what_it_has_and_is_sent_the_rest() -> None:
    has = version(4)
    proxy = Proxy(
        Cluster=has.revisions[CLUSTER], Listener=has.revisions[LISTENER], RouteConfiguration=has.revisions[ROUTES]
    )
    assert proxy.ledger.version == 4
    assert proxy.ledger.applied(has)
    assert proxy.take(version(5)) == [ROUTES]


def test_the_same_version_with_other_content_is_sent() -> None:
    """The route table changed while the control plane was down; the flags' version did not."""
    has, now = version(4), version(4, "legacy", "new:catalog")
    proxy = Proxy(Cluster=has.revisions[CLUSTER], Listener=has.revisions[LISTENER], RouteConfiguration="4-other")
    assert proxy.take(now) == [CLUSTER, ROUTES]


def test_old_clusters_stay_until_they_are_retired() -> None:
    before, now = version(1, "legacy", "new:a"), version(2, "legacy", "new:b")
    old = (Resource("new:a", b"new:a"),)
    proxy = Proxy()
    proxy.take(before)
    step = proxy.send(now, old)
    assert step is not None
    assert [one.name for one in step.resources] == ["legacy", "new:b", "new:a"]
    proxy.answer(step)
    assert proxy.take(now, old) == [ROUTES]
    assert proxy.ledger.applied(now), "what lingers doesn't hold a version up"
    assert proxy.ledger.lingering(old) == {"new:a"}
    proxy.ledger.retired.add("new:a")
    step = proxy.send(now, old)
    assert step is not None
    assert [one.name for one in step.resources] == ["legacy", "new:b"]
    proxy.answer(step)
    assert proxy.take(now, old) == []


def test_who_never_had_old_clusters_does_not_get_them() -> None:
    proxy = Proxy()
    step = proxy.send(version(2), (Resource("new:a", b"new:a"),))
    assert step is not None
    assert [one.name for one in step.resources] == ["legacy"]


def test_other_names_asked_for_are_answered_again() -> None:
    proxy = Proxy()
    proxy.take(version(1))
    proxy.ledger.heard(ROUTES, frozenset({"strangler", "other"}), version(1).revisions[ROUTES], str(proxy.nonce), None)
    step = proxy.send(version(1))
    assert step is not None
    assert step.kind == ROUTES
