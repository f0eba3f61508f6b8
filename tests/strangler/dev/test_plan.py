"""From strangler.toml to processes; nothing is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdc.source.kafka_settings import KafkaSecurity
from strangler.config import Config, Ports
from strangler.config.load import load_text
from strangler.dev.addresses import assign
from strangler.dev.kafka import PrivateKafka
from strangler.dev.layout import Layout
from strangler.dev.manifest import Entry, entries, stop_order
from strangler.dev.mysql import MySQLProgram
from strangler.dev.plan import PlanError, plan
from strangler.dev.process import (
    DatabaseReady,
    HttpReady,
    InitialiseServer,
    KafkaReady,
    Process,
    RedisReady,
    RunFirst,
    StaysUp,
    WriteBootstrap,
    WriteFirst,
)

TOML = """
[project]
name = "shop"

[databases.legacy]
server = "private"
schema = "shop"

[databases.items]
{items}

[redis]
server = "private"

[processes.{monolith}]
before = ["python -m shop.migrate"]
command = "gunicorn --bind 127.0.0.1:{{port}} shop:app"
env = {{ DB = "{{databases.legacy.url}}", REDIS = "{{redis.url}}" }}
ready = "/health"
needs = ["databases.legacy", "redis"]

[processes.jobs]
command = "python -m shop.jobs"
needs = ["processes.{monolith}"]

[processes.service]
command = "gunicorn --bind 127.0.0.1:{{port}} service:app"
ready = "/health"
needs = ["databases.items"]

[legacy]
process = "{monolith}"
database = "legacy"

[capability.catalog]
process = "service"
database = "items"
routes = ["GET /api/items"]

[capability.catalog.tables.items]
from = "items"
key = {{ id = "id" }}
"""


def configuration(
    folder: Path, monolith: str = "monolith", items: str = 'server = "private"\nschema = "items"'
) -> Config:
    return load_text(TOML.format(monolith=monolith, items=items), folder / "strangler.toml")


def planned(config: Config, hosting: str = "embedded", jars: Path | None = None) -> dict[str, Process]:
    layout = Layout.beside(config.path)
    passwords = {"legacy": "p1", "items": "p2", "redis": "p3"} | ({"kafka": "p4"} if jars else {})
    ports = assign(config, Ports(), passwords, [], hosting)
    kafka = PrivateKafka(layout.data / "kafka", jars, jars, ports.kafka) if jars and ports.kafka else None
    program = MySQLProgram(Path("/opt/mysqld"))
    private = [name for name, section in config.databases.items() if section.url is None]
    processes = plan(config, ports, dict.fromkeys(private, program), layout, kafka)
    return {process.name: process for process in processes}


def test_every_part_is_there_with_what_it_needs(tmp_path: Path) -> None:
    processes = planned(configuration(tmp_path))
    databases = ("db-legacy", "db-items")
    assert {name: process.needs for name, process in processes.items()} == {
        "db-legacy": (),
        "db-items": (),
        "redis": (),
        "monolith": ("db-legacy", "redis"),
        "jobs": ("monolith",),
        "service": ("db-items",),
        "control": databases,
        "standby": (),
        "envoy": ("control", "standby"),
        "stream-catalog": ("db-legacy", "db-items", "monolith", "service"),
    }
    kinds = {name: type(process.ready) for name, process in processes.items()}
    assert kinds["db-legacy"] is DatabaseReady
    assert kinds["redis"] is RedisReady
    assert kinds["monolith"] is kinds["envoy"] is kinds["control"] is HttpReady
    assert kinds["jobs"] is kinds["stream-catalog"] is StaysUp
    ports = [process.port for process in processes.values() if process.port]
    assert len(ports) == len(set(ports))


def test_a_way_back_is_a_stream_of_its_own(tmp_path: Path) -> None:
    text = TOML.format(monolith="monolith", items='server = "private"\nschema = "items"')
    processes = planned(load_text(text + 'back = { id = "id" }\n', tmp_path / "strangler.toml"))
    forth, back = processes["stream-catalog"], processes["stream-catalog-back"]
    assert back.argv == (*forth.argv, "--back") and back.needs == forth.needs


def test_kafka_comes_before_the_streams_that_go_through_it(tmp_path: Path) -> None:
    processes = planned(configuration(tmp_path), "kafka", Path("/jars"))
    kafka, connect = processes["kafka"], processes["connect"]
    assert connect.needs == ("kafka",)
    assert processes["stream-catalog"].needs[-2:] == ("kafka", "connect")
    assert isinstance(kafka.ready, KafkaReady) and isinstance(connect.ready, HttpReady)
    assert connect.ready.login == ("strangler", "p4")
    files = {step.path.name: step.text for step in kafka.setup if isinstance(step, WriteFirst)}
    assert "listeners=CLIENT://127.0.0.1:" in files["broker.properties"]
    assert "SASL_PLAINTEXT" in files["broker.properties"]
    assert "exactly.once.source.support=enabled" in files["connect.properties"]
    assert not any("p4" in part for process in (kafka, connect) for part in process.argv)
    assert "format" in next(step.argv for step in kafka.setup if isinstance(step, RunFirst))


def test_a_kafka_that_is_there_already_is_only_asked(tmp_path: Path) -> None:
    text = TOML.format(monolith="monolith", items='server = "private"\nschema = "items"')
    text += '[streams]\nhosting = "kafka"\n[streams.kafka]\nbootstrap = "k:9092"\nconnect = "http://c:8083/"\n'
    processes = planned(load_text(text, tmp_path / "strangler.toml"), "kafka")
    assert processes["kafka"].argv == processes["connect"].argv == ()
    assert processes["connect"].ready == HttpReady(("http://c:8083/connectors",))
    assert processes["kafka"].ready == KafkaReady("k:9092", KafkaSecurity())


def test_an_application_process_is_filled_in(tmp_path: Path) -> None:
    processes = planned(configuration(tmp_path))
    monolith, database = processes["monolith"], processes["db-legacy"]
    assert f"127.0.0.1:{monolith.port}" in monolith.argv
    assert monolith.ready == HttpReady((f"http://127.0.0.1:{monolith.port}/health",))
    assert monolith.env["DB"] == f"mysql+pymysql://strangler:p1@127.0.0.1:{database.port}/shop"
    assert monolith.env["REDIS"] == f"redis://:p3@127.0.0.1:{processes['redis'].port}/0"
    assert monolith.env["STRANGLER_CONFIG"] == str(tmp_path / "strangler.toml")
    (before,) = monolith.setup
    assert isinstance(before, RunFirst) and before.argv[1:] == ("-m", "shop.migrate")


def test_a_private_database_is_loopback_only_and_holds_no_password_in_its_command(tmp_path: Path) -> None:
    database = planned(configuration(tmp_path))["db-legacy"]
    assert "--bind-address=127.0.0.1" in database.argv
    assert database.argv[1] == "--no-defaults"
    assert not any("p1" in argument for argument in database.argv)
    assert isinstance(database.setup[0], InitialiseServer)


def test_two_servers_have_different_ids_that_stay(tmp_path: Path) -> None:
    def ids(processes: dict[str, Process]) -> list[str]:
        return [a for name in ("db-legacy", "db-items") for a in processes[name].argv if a.startswith("--server-id=")]

    first = ids(planned(configuration(tmp_path)))
    assert len(set(first)) == 2
    assert ids(planned(configuration(tmp_path))) == first


def test_redis_password_is_in_a_private_file_only(tmp_path: Path) -> None:
    redis = planned(configuration(tmp_path))["redis"]
    assert not any("p3" in argument for argument in redis.argv)
    files = [step for step in redis.setup if isinstance(step, WriteFirst)]
    assert "requirepass p3" in files[0].text
    assert "bind 127.0.0.1" in files[0].text


def test_envoy_is_told_of_both_control_planes(tmp_path: Path) -> None:
    processes = planned(configuration(tmp_path))
    (bootstrap,) = processes["envoy"].setup
    assert isinstance(bootstrap, WriteBootstrap)
    assert bootstrap.standby == ("127.0.0.1", processes["standby"].port)
    assert str(bootstrap.xds[1]) in processes["standby"].argv
    assert "--disable-hot-restart" in processes["envoy"].argv


def test_a_database_elsewhere_is_only_asked(tmp_path: Path) -> None:
    processes = planned(configuration(tmp_path, items='url = "mysql://u:p@10.0.0.5:3307/items"'))
    assert processes["db-items"].argv == ()
    assert processes["db-items"].port == 3307


def test_a_name_of_our_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"processes\.envoy: the name is taken by a part of Strangler"):
        planned(configuration(tmp_path, monolith="envoy"))


def test_what_others_need_is_stopped_last(tmp_path: Path) -> None:
    order = stop_order(entries(planned(configuration(tmp_path)).values()))
    place = {name: number for number, group in enumerate(order) for name in group}
    assert place["stream-catalog"] < place["monolith"] < place["db-legacy"]
    assert place["envoy"] < place["control"] < place["db-items"]
    assert place["jobs"] < place["monolith"] < place["redis"]


def test_what_runs_elsewhere_is_no_reason_to_stop_late() -> None:
    known = [Entry("far", 1, (), True, ""), Entry("near", 2, ("far",), False, "")]
    assert ["near"] in [[name for name in group if name != "far"] for group in stop_order(known)]
