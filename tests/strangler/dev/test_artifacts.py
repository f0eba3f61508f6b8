"""Downloads against a small repository on this machine: sums, breaks, parallel runs."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from jgo.maven import MavenContext

from strangler.dev import artifacts
from strangler.dev.artifacts import ArtifactError, Pinned, fetch_all
from strangler.dev.cache import CacheError, cache_folder
from strangler.dev.ports import free_port

CONTENT = b"a jar" * 10_000


class Repository(ThreadingHTTPServer):
    """Serves files by path; breaks the first ``breaks`` of them off in the middle."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.breaks = 0

    @property
    def context(self) -> MavenContext:
        return MavenContext(remote_repos={"here": f"http://127.0.0.1:{self.server_address[1]}"})

    def holds(self, name: str, content: bytes = CONTENT) -> Pinned:
        self.files[f"/org/example/{name}/1.0/{name}-1.0.jar"] = content
        return Pinned(f"org.example:{name}:1.0", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Handler(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if content and self.server.breaks:
            self.server.breaks -= 1
            content = content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        """Not into the test's output."""


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Repository()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_is_missing_is_downloaded_once(repository: Repository, tmp_path: Path) -> None:
    wanted = [repository.holds("one"), repository.holds("two")]
    files = fetch_all(wanted, label="t", cache=tmp_path, context=repository.context)
    assert [file.name for file in files] == ["one-1.0.jar", "two-1.0.jar"]
    assert all(file.read_bytes() == CONTENT for file in files)
    asked = len(repository.asked)
    assert fetch_all(wanted, label="t", cache=tmp_path, context=repository.context) == files
    assert len(repository.asked) == asked
    assert not list(tmp_path.glob("download-*"))


def test_a_wrong_sum_is_refused_and_nothing_is_kept(repository: Repository, tmp_path: Path) -> None:
    wanted = [repository.holds("one", CONTENT[:-1] + b"X")]
    with pytest.raises(ArtifactError, match=r"org.example:one:1.0 arrived with SHA-256 \w{64}, pinned is \w{64}"):
        fetch_all(wanted, label="t", cache=tmp_path, context=repository.context)
    assert not list(tmp_path.rglob("*.jar"))
    repository.holds("one")
    assert fetch_all(wanted, label="t", cache=tmp_path, context=repository.context)[0].read_bytes() == CONTENT


def test_a_broken_connection_is_tried_again(repository: Repository, tmp_path: Path) -> None:
    wanted = [repository.holds("one")]
    repository.breaks = 1
    assert fetch_all(wanted, label="t", cache=tmp_path, context=repository.context)[0].read_bytes() == CONTENT


def test_offline_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "ATTEMPTS", 1)
    nobody = MavenContext(remote_repos={"here": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(ArtifactError, match=r"no connection\. Is this machine online.*STRANGLER_CACHE"):
        fetch_all([Pinned("org.example:one:1.0", 1, "0" * 64)], label="t", cache=tmp_path, context=nobody)


def test_gone_from_the_repository(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"org\.example:none:1\.0 is not in the Maven repository"):
        fetch_all([Pinned("org.example:none:1.0", 1, "0" * 64)], label="t", cache=tmp_path, context=repository.context)


def test_too_little_space_is_said_before_the_download(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"MB are needed: make room, or set STRANGLER_CACHE"):
        fetch_all(
            [Pinned("org.example:one:1.0", 10**16, "0" * 64)], label="t", cache=tmp_path, context=repository.context
        )
    assert repository.asked == []


def test_parallel_runs_download_once(repository: Repository, tmp_path: Path) -> None:
    wanted = [repository.holds("one")]
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(fetch_all, wanted, label="t", cache=tmp_path, context=repository.context) for _ in range(4)]
        assert all(job.result()[0].exists() for job in jobs)
    assert sum(path.endswith("one-1.0.jar") for path in repository.asked) == 1


def test_progress_is_plain_lines_when_piped(
    repository: Repository, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fetch_all([repository.holds("one")], label="tools", cache=tmp_path, context=repository.context)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("downloading tools: ")
    assert "\x1b" not in err and "\r" not in err


def test_the_pinned_list_is_whole() -> None:
    sets = artifacts.pinned_sets()
    assert {name: len(items) for name, items in sets.items()} == {
        "mysql": 1,
        "mariadb": 1,
        "debezium-embedded": 76,
        "kafka": 94,
    }
    assert all(len(item.sha256) == 64 and item.size > 0 for items in sets.values() for item in items)


def test_a_damaged_list_is_named(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text('{"mysql": [{"coordinate": "a:b:1"}]}')
    with pytest.raises(ArtifactError, match=r"list\.json: not a list of pinned artifacts"):
        artifacts.pinned_sets(tmp_path / "list.json")


def test_an_unknown_set_names_the_known() -> None:
    with pytest.raises(ArtifactError, match="there are: mysql, mariadb, debezium-embedded"):
        artifacts.pinned("oracle")


def test_damage_in_the_cache_is_found(repository: Repository, tmp_path: Path) -> None:
    wanted = [repository.holds("one"), repository.holds("two")]
    first, _ = fetch_all(wanted, label="t", cache=tmp_path, context=repository.context)
    first.write_bytes(b"b" * len(CONTENT))
    assert artifacts.damaged(wanted, tmp_path) == [wanted[0]]


def test_the_cache_can_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRANGLER_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    (tmp_path / "file").touch()
    monkeypatch.setenv("STRANGLER_CACHE", str(tmp_path / "file" / "under"))
    with pytest.raises(CacheError, match="set STRANGLER_CACHE"):
        cache_folder()
