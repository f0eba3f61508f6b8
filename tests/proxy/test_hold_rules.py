"""What a hold does to flags and routes, without a proxy."""

from __future__ import annotations

import pytest
from envoy.config.cluster.v3 import cluster_pb2

from proxy.envoy import names
from proxy.envoy.snapshot import build
from proxy.flags import Edit, FlagError, FlagSet, describe, edit, rollback
from proxy.hold import hold, release
from proxy.routes import Side
from proxy.settings import ProxySettings
from tests.proxy.rig import shop_table

TABLE = shop_table(1, 2)
HELD = hold(FlagSet(4), TABLE, "catalog", epoch="e1", timeout_ms=900)


def clusters(flags: FlagSet) -> dict[str, cluster_pb2.Cluster]:
    found = build(TABLE, flags, ProxySettings()).resources[names.CLUSTER]
    return {one.name: cluster_pb2.Cluster.FromString(one.value) for one in found}


def test_a_hold_is_one_version_and_releasing_it_another() -> None:
    after = release(HELD, TABLE, "catalog", Side.NEW)
    assert (HELD.version, after.version) == (5, 6)
    assert HELD.held("catalog") is not None
    assert after.held("catalog") is None
    assert [after.of(name).pin for name in ("POST /api/items", "GET /api/items")] == [Side.NEW, None]
    assert after.of("POST /api/items").fallback is False
    assert describe(FlagSet(4), HELD, TABLE)[-1].endswith("write requests wait at the proxy")
    assert any("released to new" in line for line in describe(HELD, after, TABLE))


def test_the_cluster_that_is_waited_for_exists_once_released() -> None:
    name = names.hold_cluster("catalog", "e1")
    assert name not in clusters(HELD)
    after = clusters(release(HELD, TABLE, "catalog", Side.NEW))[name]
    address = after.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address
    assert address.port_value == 2


def test_no_other_change_of_flags_ends_a_hold() -> None:
    for after in (
        edit(HELD, TABLE, "promotions", Edit(percent=5)),
        edit(HELD, TABLE, "catalog", Edit(percent=5), reads_only=True),
        rollback(HELD, TABLE, "promotions"),
    ):
        assert after.held("catalog") == HELD.held("catalog")


@pytest.mark.parametrize(
    ("capability", "epoch", "timeout_ms", "said"),
    [
        ("catalog", "e2", 900, "held already"),
        ("promotions", "e2", 900, "no write route"),
        ("dead", "e1", 900, "was used before"),
        ("dead", "e2", 0, "is none"),
    ],
)
def test_what_can_not_be_held(capability: str, epoch: str, timeout_ms: int, said: str) -> None:
    with pytest.raises(FlagError, match=said):
        hold(HELD, TABLE, capability, epoch=epoch, timeout_ms=timeout_ms)
