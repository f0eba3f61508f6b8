"""The shape of strangler.toml: frozen, every key typed, unknown keys refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from cdc.mapping import CapabilityMapping, TableMapping
from cdc.policy import Reaction, SchemaPolicy
from cdc.quarantine import Bounds
from cdc.verify import Limits
from proxy.routes import Access, Route

READS = ("GET", "HEAD", "OPTIONS")
METHODS = (*READS, "POST", "PUT", "PATCH", "DELETE")

Text = Annotated[StrictStr, Field(min_length=1)]
Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
Seconds = Annotated[float, Field(strict=True, gt=0)]
Minutes = Annotated[float, Field(strict=True, gt=0)]


def _name(value: str) -> str:
    if not value.replace("-", "").replace("_", "").isalnum():
        raise ValueError("a name is made of letters, digits, - and _")
    return value


Name = Annotated[StrictStr, AfterValidator(_name)]
Database = Literal["mysql", "mariadb"]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)


class Project(Section):
    """``name`` names what is moved; it appears in metrics and logs."""

    name: Name


class Control(Section):
    """``listen``: host:port of the admin API, on loopback, port 0 for a free one. ``state``: "sqlite" or mysql://..."""

    listen: Text = "127.0.0.1:0"
    state: Text = "sqlite"


class IdentitySection(Section):
    """Who is the same user: a cookie's or a header's value. ``issue``: the proxy hands the cookie out."""

    cookie: Text | None = None
    header: Text | None = None
    issue: StrictBool | None = None


class Cohort(Section):
    description: Text


class ProxySection(Section):
    """``networks``: CIDRs whose clients may steer without a signature. ``salt`` is mixed into every user's bucket."""

    listen: Text = "127.0.0.1:0"
    identity: IdentitySection = IdentitySection(cookie="strangler_uid", issue=True)
    cohorts: Mapping[Name, Cohort] = {}
    networks: tuple[Text, ...] = ()
    salt: StrictStr = ""


class DatabaseSection(Section):
    """A private server of our own (``server = "private"`` with ``schema``), or ``url = "mysql://..."``.

    ``flavour`` says which private server (else ``strangler up --server`` decides); ``binary`` names an installed
    mysqld or mariadbd to start instead of the fetched one.
    """

    server: Literal["private"] | None = None
    schema_: Annotated[Text | None, Field(alias="schema")] = None
    url: Text | None = None
    flavour: Database | None = None
    binary: Text | None = None


class Redis(Section):
    """A private server of our own, or ``url = "redis://..."``. ``binary`` names an installed redis-server."""

    server: Literal["private"] | None = None
    url: Text | None = None
    binary: Text | None = None


class KafkaSecuritySection(Section):
    """How to talk to the brokers. Files are PEM; ``key_file`` holds the certificates too. Connect reads the same files
    at the same paths."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    user: Text | None = None
    password: Text | None = None
    ca_file: Text | None = None
    key_file: Text | None = None


class KafkaSection(Section):
    """A private Kafka and Connect of our own, or those at ``bootstrap`` (host:port, ...) and ``connect`` (a url)."""

    bootstrap: Text | None = None
    connect: Text | None = None
    connect_user: Text | None = None
    connect_password: Text | None = None
    connect_ca_file: Text | None = None
    security: KafkaSecuritySection = KafkaSecuritySection()
    replication: Annotated[StrictInt, Field(ge=1)] = 1
    retention_hours: Annotated[StrictInt, Field(ge=0)] = 168
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "lz4"

    @property
    def private(self) -> bool:
        return self.bootstrap is None


class StreamsSection(Section):
    """Where Debezium runs: in each stream's own process, or in Kafka Connect with events in Kafka. ``strangler up
    --cdc`` overrides ``hosting``."""

    hosting: Literal["embedded", "kafka"] = "embedded"
    kafka: KafkaSection = KafkaSection()


class Process(Section):
    """A program of the application. ``before`` runs to its end, in order, before ``command`` is started.

    ``ready`` is a path that answers 200 when the process is; ``needs`` names what must be ready before:
    ``databases.X``, ``redis`` or ``processes.X``. ``port`` fixes the port that ``{port}`` stands for.
    """

    command: Text
    before: tuple[Text, ...] = ()
    env: Mapping[StrictStr, StrictStr] = {}
    ready: Annotated[Text | None, Field(pattern="^/")] = None
    needs: tuple[Text, ...] = ()
    port: Annotated[StrictInt | None, Field(ge=1, le=65535)] = None
    ready_timeout_seconds: Seconds = 60.0
    stop_timeout_seconds: Seconds = 10.0


class Legacy(Section):
    """Who answers whatever no capability claims: a process of this file, or a url; and the database behind it."""

    process: Text | None = None
    url: Text | None = None
    database: Text
    timeout_ms: Annotated[StrictInt, Field(gt=0)] = 15_000


def _route(value: Any) -> Any:
    return {"route": value} if isinstance(value, str) else value


class RouteSection(Section):
    """``"GET /path/{id}"``, or a table with more. ``access`` is read for GET, HEAD and OPTIONS, else write."""

    route: Text
    access: Access | None = None
    idempotent: StrictBool = False

    def build(self, capability: str) -> Route:
        method, path = self.route.split()
        access = self.access or (Access.READ if method in READS else Access.WRITE)
        return Route(capability, method, path, access, self.idempotent)


class TableSection(Section):
    """How one table of the new side is made from the legacy table ``from``, and who may write which part of it; see
    cdc.mapping.TableMapping."""

    source: Annotated[Text, Field(alias="from")]
    key: Annotated[Mapping[Text, Text], Field(min_length=1)]
    columns: Mapping[Text, Text] = {}
    where: Text | None = None
    back: Mapping[Text, Text] = {}
    owns: tuple[Text, ...] = ()
    reference: StrictBool = False
    append: StrictBool = False

    def build(self, table: str) -> TableMapping:
        return TableMapping(
            table,
            self.source,
            dict(self.key),
            dict(self.columns),
            self.where,
            dict(self.back),
            self.owns,
            self.reference,
            self.append,
        )


class Gate(Section):
    """The evidence that entering a phase needs. What is left out isn't asked for."""

    max_lag_seconds: Seconds | None = None
    verified_within_minutes: Minutes | None = None
    contract_within_minutes: Minutes | None = None
    load_within_minutes: Minutes | None = None
    min_requests_new: Annotated[StrictInt | None, Field(gt=0)] = None
    max_error_percent_above_legacy: Percent | None = None


class CanarySection(Section):
    """``percent`` of users that go to new when a capability enters canary and no ``--percent`` is given."""

    percent: Annotated[float, Field(strict=True, gt=0, le=100)] = 5.0


class SyncedSection(Section):
    """Entering synced waits until lag is at most ``max_lag_seconds``, for ``timeout_minutes`` at the longest."""

    max_lag_seconds: Seconds = 5.0
    timeout_minutes: Minutes = 24 * 60.0


class CopySection(Section):
    """How hard the copy of what was there may work: ``sessions`` at once, chunks of at most ``chunk_rows``. It waits
    while the stream is more than ``max_lag_seconds`` behind, or the source runs more than ``max_threads_running``
    statements of others at once."""

    sessions: Annotated[StrictInt, Field(ge=1, le=32)] = 4
    chunk_rows: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 20_000
    max_lag_seconds: Seconds = 5.0
    max_threads_running: Annotated[StrictInt, Field(ge=0)] = 25


class VerifySection(Section):
    """How hard a comparison may work: ``sessions`` a side at once, chunks of ``chunk_rows``. A chunk waits while the
    source runs more than ``max_threads_running`` statements of others at once, and so that no more than
    ``max_rows_per_second`` are read. ``continuous``: all rows are compared round after round, at most
    ``continuous_rows_per_second``, and those changed last every ``hot_seconds``."""

    sessions: Annotated[StrictInt, Field(ge=1, le=32)] = 2
    chunk_rows: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 20_000
    max_threads_running: Annotated[StrictInt, Field(ge=0)] = 25
    max_rows_per_second: Annotated[StrictInt | None, Field(gt=0)] = None
    continuous: StrictBool = False
    continuous_rows_per_second: Annotated[StrictInt, Field(gt=0)] = 2000
    hot_seconds: Seconds = 5.0

    @property
    def limits(self) -> Limits:
        return Limits(self.sessions, self.chunk_rows, self.max_threads_running, self.max_rows_per_second)

    @property
    def continuous_limits(self) -> Limits:
        """Of rounds: one session a side, chunks of about a second."""
        rate = min(self.continuous_rows_per_second, self.max_rows_per_second or self.continuous_rows_per_second)
        return Limits(1, min(self.chunk_rows, max(rate, 100)), self.max_threads_running, rate)


class QuarantineSection(Section):
    """How many events, and how much of them, may wait because they can't be applied; the stream stops when there are
    more, or when more than ``max_keys_at_once`` rows of one batch are refused. Zero: stop at the first."""

    max_events: Annotated[StrictInt, Field(ge=0)] = 1000
    max_megabytes: Annotated[float, Field(strict=True, gt=0)] = 64.0
    max_keys_at_once: Annotated[StrictInt, Field(ge=0)] = 100

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.max_events, int(self.max_megabytes * 1024 * 1024), self.max_keys_at_once)


class SchemaChangesSection(Section):
    """What the stream does when a legacy table that it reads is altered, by kind: stop with the statement shown,
    follow (and copy the table again where rows may have changed without an event), or ignore (follow, copy nothing).
    ``swap``: another table stands under the name, as online-schema-change tools do, or rows went by the statement."""

    add: Reaction = Reaction.FOLLOW
    drop: Reaction = Reaction.FOLLOW
    change: Reaction = Reaction.FOLLOW
    rename: Reaction = Reaction.FOLLOW
    swap: Reaction = Reaction.FOLLOW

    @property
    def policy(self) -> SchemaPolicy:
        return SchemaPolicy(self.add, self.drop, self.change, self.rename, self.swap)


class ForeignKeysSection(Section):
    """``accept``: foreign keys of legacy tables that change rows by themselves (CASCADE, SET NULL), which the server
    does not log and the stream can't tell: differences that come of it are left for ``strangler verify`` to find."""

    accept: tuple[Text, ...] = ()


class CutoverSection(Section):
    """How long writes may wait while ownership moves. ``hold_budget_ms``: a move that takes longer is undone.
    ``hold_limit_ms``: how long a request may wait at the proxy at the most, so that a process that was killed meanwhile
    can come back and finish; then it is answered 503."""

    hold_budget_ms: Annotated[StrictInt, Field(ge=4_000, le=60_000)] = 4_000
    hold_limit_ms: Annotated[StrictInt, Field(ge=4_000, le=300_000)] = 30_000


class Capability(Section):
    """What moves together: routes, tables, one contract, one service."""

    process: Text | None = None
    url: Text | None = None
    database: Text | None = None
    contract: Text | None = None
    timeout_ms: Annotated[StrictInt, Field(gt=0)] = 15_000
    routes: Annotated[tuple[Annotated[RouteSection, BeforeValidator(_route)], ...], Field(min_length=1)]
    tables: Mapping[Text, TableSection] = {}
    synced: SyncedSection = SyncedSection()
    copy_: Annotated[CopySection, Field(alias="copy")] = CopySection()
    verify: VerifySection = VerifySection()
    quarantine: QuarantineSection = QuarantineSection()
    schema_changes: SchemaChangesSection = SchemaChangesSection()
    foreign_keys: ForeignKeysSection = ForeignKeysSection()
    canary: CanarySection = CanarySection()
    cutover: CutoverSection = CutoverSection()
    gates: Mapping[StrictStr, Gate] = {}

    def mapping(self, name: str) -> CapabilityMapping:
        """All of its tables, in the file's order."""
        return CapabilityMapping(name, tuple(section.build(table) for table, section in self.tables.items()))


class Load(Section):
    """``arguments`` are handed to the scenario (placeholders allowed); ``capabilities``: whose evidence a run is."""

    arguments: tuple[Text, ...] = ()
    capabilities: tuple[Name, ...] = ()


class Config(Section):
    """The whole file, checked, placeholders as written. ``path`` is the file itself."""

    path: Path
    project: Project
    control: Control = Control()
    proxy: ProxySection = ProxySection()
    databases: Mapping[Name, DatabaseSection] = {}
    redis: Redis | None = None
    streams: StreamsSection = StreamsSection()
    processes: Mapping[Name, Process] = {}
    legacy: Legacy
    load: Mapping[Name, Load] = {}
    capabilities: Annotated[Mapping[Name, Capability], Field(alias="capability")] = {}

    @property
    def root(self) -> Path:
        """The folder of the file; commands run in it, relative paths of the file start from it."""
        return self.path.parent

    @property
    def home(self) -> Path:
        """``.strangler`` beside the file: everything that running leaves behind."""
        return self.root / ".strangler"

    @property
    def state(self) -> Path:
        """What must survive a restart: control.db, token, keys, the last applied snapshot."""
        return self.home / "state"

    @property
    def run(self) -> Path:
        """What is true while things run: ports.json, pid files."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def routes(self) -> tuple[Route, ...]:
        return tuple(r.build(name) for name, c in self.capabilities.items() for r in c.routes)
