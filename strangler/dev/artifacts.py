"""Pinned Maven artifacts: downloaded once, checked against their sums, kept in the user's cache.

``artifacts.json`` beside this file lists coordinates, sizes and SHA-256 sums in sets. Nothing is resolved
at run time: what isn't listed there is not downloaded.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strangler.dev.cache import CacheError, cache_folder, locked
from strangler.dev.progress import Progress

if TYPE_CHECKING:
    import requests
    from jgo.maven import MavenContext

PINNED = Path(__file__).with_name("artifacts.json")
PARALLEL = 8
TIMEOUT_SECONDS = 60
ATTEMPTS = 3


class ArtifactError(CacheError):
    """An artifact can't be had; the text says which one, why, and the way out."""


@dataclass(frozen=True)
class Pinned:
    """One artifact: ``group:artifact:version``, its size in bytes and its SHA-256 sum."""

    coordinate: str
    size: int
    sha256: str

    @property
    def group(self) -> str:
        return self.coordinate.split(":")[0]

    @property
    def file_name(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    def path(self, cache: Path) -> Path:
        return cache / "artifacts" / self.group / self.file_name

    def present(self, cache: Path) -> bool:
        """Whether the cache has it. Only checked files ever get this name, so the size is enough here."""
        path = self.path(cache)
        return path.is_file() and path.stat().st_size == self.size


def pinned_sets(source: Path = PINNED) -> dict[str, tuple[Pinned, ...]]:
    """Every set by name. Raises ArtifactError if the file is not what it should be."""
    try:
        content = json.loads(source.read_text())
        return {name: tuple(Pinned(**item) for item in items) for name, items in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{source}: not a list of pinned artifacts: {error}") from error


def pinned(name: str) -> tuple[Pinned, ...]:
    """The set ``name``: mysql, mariadb or debezium-embedded. Raises ArtifactError for another name."""
    sets = pinned_sets()
    if name not in sets:
        raise ArtifactError(f"no set of artifacts is called {name!r}; there are: {', '.join(sets)}")
    return sets[name]


def fetch(name: str, *, cache: Path | None = None) -> list[Path]:
    """The files of the set ``name`` in the cache, downloaded and checked first where missing.

    Blocks; shows progress on stderr.
    Raises ArtifactError when offline, on a wrong sum, or when the disk is full.
    """
    return fetch_all(pinned(name), label=name, cache=cache)


def fetch_all(
    wanted: Sequence[Pinned], *, label: str, cache: Path | None = None, context: MavenContext | None = None
) -> list[Path]:
    """As ``fetch``, for artifacts given as values. ``context`` names other repositories than the default one."""
    cache = cache or cache_folder()
    if any(not item.present(cache) for item in wanted):
        with locked(cache, f"artifacts-{label}"):
            missing = [item for item in wanted if not item.present(cache)]
            if missing:
                _download(missing, label, cache, context)
    return [item.path(cache) for item in wanted]


def debezium_jars(*, cache: Path | None = None) -> list[Path]:
    """The class path of the embedded Debezium engine, for MySQL and MariaDB. Downloads what is missing."""
    return fetch("debezium-embedded", cache=cache)


def damaged(wanted: Sequence[Pinned], cache: Path) -> list[Pinned]:
    """Those that are in the cache but have a wrong sum. Reads every file."""
    return [item for item in wanted if item.path(cache).exists() and _sha256(item.path(cache)) != item.sha256]


def _download(missing: Sequence[Pinned], label: str, cache: Path, context: MavenContext | None) -> None:
    total = sum(item.size for item in missing)
    _need_space(cache, total)
    # In the cache's own file system, so that the final rename is atomic.
    with tempfile.TemporaryDirectory(prefix="download-", dir=cache) as folder:
        with Progress(f"downloading {label}", total) as progress:
            maven = _context(context, Path(folder), progress.advance)
            with ThreadPoolExecutor(PARALLEL) as pool:
                # Largest first: the small ones fill the gaps beside it.
                jobs = [
                    pool.submit(_download_one, maven, item, cache) for item in sorted(missing, key=lambda i: -i.size)
                ]
                try:
                    for job in jobs:
                        job.result()
                finally:
                    pool.shutdown(cancel_futures=True)


def _download_one(maven: MavenContext, item: Pinned, cache: Path) -> None:
    import requests
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

    artifact = maven.create_dependency(item.coordinate).artifact
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(requests.RequestException),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(0.5),
            reraise=True,
        ):
            with attempt:
                # What a broken connection left behind would be taken for the whole.
                artifact.cached_path.unlink(missing_ok=True)
                found = artifact.resolve()
    except requests.RequestException as error:
        raise ArtifactError(
            f"{item.coordinate} can't be downloaded: {_cause(error)}. Is this machine online, or does it need "
            f"HTTPS_PROXY? Or copy the cache folder of another machine to {cache} (or point STRANGLER_CACHE at it)"
        ) from error
    except OSError as error:
        raise _disk_error(error, cache) from error
    except RuntimeError as error:
        raise ArtifactError(f"{item.coordinate} is not in the Maven repository any more: {error}") from error
    actual = _sha256(found)
    if actual != item.sha256:
        found.unlink()
        raise ArtifactError(
            f"{item.coordinate} arrived with SHA-256 {actual}, pinned is {item.sha256} ({PINNED.name}). "
            "It was thrown away: try again; if it stays so, something between here and the repository changes files"
        )
    target = item.path(cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    found.replace(target)


def _context(given: MavenContext | None, folder: Path, advance: Callable[[int], None]) -> MavenContext:
    # Here and below, not above: most runs find everything in the cache, and loading these takes a moment.
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def report(_file: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield advance

    options: dict[str, Any] = {"remote_repos": given.remote_repos} if given else {}
    return MavenContext(
        resolver=PythonResolver(progress_callback=report), repo_cache=folder, timeout=TIMEOUT_SECONDS, **options
    )


def _need_space(cache: Path, size: int) -> None:
    free = shutil.disk_usage(cache).free
    if free < 2 * size:
        raise ArtifactError(
            f"{cache} has {free / 1e6:,.0f} MB free, {2 * size / 1e6:,.0f} MB are needed: "
            "make room, or set STRANGLER_CACHE"
        )


def _disk_error(error: OSError, cache: Path) -> ArtifactError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ArtifactError(f"no space left under {cache}: make room, or set STRANGLER_CACHE to another disk")
    return ArtifactError(f"{cache}: {os.strerror(error.errno) if error.errno else error}")


def _cause(error: requests.RequestException) -> str:
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return f"the server's certificate was not accepted ({error})"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_SECONDS} s"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
