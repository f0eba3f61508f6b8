"""The composition root of the control plane: everything is made here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from proxy import stats
from proxy.publish import Flipper
from proxy.store import FlagStore, engine_for
from proxy.xds.server import AdsServer
from strangler.config import Config, Resolved, resolve
from strangler.config.reread import Reread
from strangler.control import secret, tables
from strangler.control.audit import Audit
from strangler.control.compare import Comparer
from strangler.control.continuous import Continuous
from strangler.control.evidence_store import EvidenceStore
from strangler.control.flag_change import FlagSetter
from strangler.control.flagging import Flagging
from strangler.control.mover import Mover
from strangler.control.observe import Observer
from strangler.control.operation import Operations, OperationStore
from strangler.control.ownership import DatabaseRows
from strangler.control.phase_store import PhaseStore
from strangler.control.preflight import Preflight
from strangler.control.quarantine import Quarantine
from strangler.control.status import StatusBoard
from strangler.control.streams import Streams
from strangler.control.sync_change import Syncer
from strangler.control.traffic import TrafficMeter
from strangler.control.verify_runs import VerifyRuns
from strangler.control.watch import Watch
from strangler.control.writes import Writes
from strangler.cutover.journal import Journal

SNAPSHOT = "snapshot.bin"  # in the state folder; the standby xDS server serves it while this process is down


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class ControlPlane:
    """All parts of one control plane. ``token`` opens the API."""

    config: Config
    engine: Engine
    token: str
    cohort_key: bytes
    ads: AdsServer
    flipper: Flipper
    flagging: Flagging
    board: StatusBoard
    flag_setter: FlagSetter
    mover: Mover
    syncer: Syncer
    comparer: Comparer
    quarantine: Quarantine
    audit: Audit
    evidence: EvidenceStore
    operations: Operations
    streams: Streams
    continuous: Continuous
    watch: Watch
    now: Callable[[], datetime]

    async def start(self) -> int:
        """Serve xDS, publish what was last committed, settle what was left half done. The xDS port."""
        port = await self.ads.start()
        await self.flipper.start()
        await self.mover.settle()
        await self.comparer.go_on()
        return port

    async def stop(self) -> None:
        self.streams.close()
        await self.comparer.close()
        await self.operations.close()
        await self.ads.stop()
        self.engine.dispose()


def compose(config: Config, *, xds: tuple[str, int], now: Callable[[], datetime] = utc_now) -> ControlPlane:
    """Blocks for a moment (database). Raises NotRunning when a side has no address yet, SchemaTooNew, SecretError."""
    token, key = secret.token(config.state), secret.cohort_key(config.state)

    reread = Reread(config)

    def resolved() -> Resolved:
        return resolve(reread.lenient())

    first = resolved()
    engine = engine_for(first.state_url)
    store = FlagStore(engine)
    store.create()
    tables.create(engine)

    ads = AdsServer(*xds, snapshot_file=config.state / SNAPSHOT)
    settings = first.proxy_settings(key)
    flipper = Flipper(store, ads, first.route_table, settings)
    flagging = Flagging(flipper, ads, first.route_table, settings)

    phases, evidence, audit = PhaseStore(engine), EvidenceStore(engine), Audit(engine)
    operation_store = OperationStore(engine)
    operations = Operations(operation_store, now)
    streams, preflight = Streams(resolved), Preflight(lambda: resolve(reread.strict()))
    rows = DatabaseRows(resolved)
    writes = Writes(config, rows, flagging, ads, Journal(engine), streams, now)
    meter = TrafficMeter(resolved, stats.read)
    observer = Observer(config, phases, evidence, streams, rows, meter, now)
    runs = VerifyRuns(engine)
    continuous = Continuous(config, streams, evidence, runs, now)
    board = StatusBoard(config, flagging, observer, operations, continuous, now)
    mover = Mover(
        config,
        flagging=flagging,
        flag_store=store,
        streams=streams,
        phases=phases,
        evidence=evidence,
        audit=audit,
        operations=operations,
        operation_store=operation_store,
        observer=observer,
        meter=meter,
        preflight=preflight,
        writes=writes,
        now=now,
    )
    return ControlPlane(
        config=config,
        engine=engine,
        token=token,
        cohort_key=key,
        ads=ads,
        flipper=flipper,
        flagging=flagging,
        board=board,
        flag_setter=FlagSetter(flagging, phases, audit, operations, now),
        mover=mover,
        syncer=Syncer(flagging, streams, phases, audit, operations, preflight, now),
        comparer=Comparer(config, streams, phases, evidence, audit, operations, runs, now),
        quarantine=Quarantine(config, streams, phases, audit, operations, now),
        audit=audit,
        evidence=evidence,
        operations=operations,
        streams=streams,
        continuous=continuous,
        watch=Watch(board),
        now=now,
    )
