"""Folders of jars for Java programs: links to pinned artifacts in the cache, one folder for each set of them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from strangler.dev.artifacts import Pinned, fetch_all, pinned
from strangler.dev.cache import cache_folder, locked

# What Kafka Connect itself brings, and what is of no use inside it.
_NOT_IN_A_PLUGIN = (
    "io.debezium:debezium-connect-plugins:",
    "org.apache.kafka:",
    "org.slf4j:",
    "org.eclipse.jetty",
    "org.glassfish.",
    "io.debezium:debezium-embedded:",
)


def kafka_jars(*, cache: Path | None = None) -> Path:
    """Broker, Connect and the tools in one folder. Downloads what is missing. Raises ArtifactError."""
    return _folder("kafka", pinned("kafka"), cache)


def debezium_plugin(*, cache: Path | None = None) -> Path:
    """A folder for Connect's ``plugin.path``: the connectors that the embedded engine runs, of the same version.

    Downloads what is missing. Raises ArtifactError.
    """
    jars = [jar for jar in pinned("debezium-embedded") if not jar.coordinate.startswith(_NOT_IN_A_PLUGIN)]
    return _folder("debezium", jars, cache, inner="debezium")


def _folder(name: str, jars: Sequence[Pinned], cache: Path | None, inner: str = "") -> Path:
    cache = cache or cache_folder()
    files = fetch_all(jars, label=name, cache=cache)
    # The sums are in the name: another set makes another folder and never half of one.
    sums = hashlib.sha256("".join(jar.sha256 for jar in jars).encode()).hexdigest()
    folder = cache / "jars" / f"{name}-{sums[:12]}"
    if folder.is_dir():
        return folder
    with locked(cache, f"jars-{name}"):
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder.parent))
            try:
                (made / inner).mkdir(exist_ok=True)
                for file in files:
                    # Relative, so that the cache can be moved as a whole.
                    (made / inner / file.name).symlink_to(os.path.relpath(file, folder / inner))
                made.chmod(0o755)
                made.rename(folder)
            finally:
                shutil.rmtree(made, ignore_errors=True)
    return folder
