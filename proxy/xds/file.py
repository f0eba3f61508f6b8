"""The last applied snapshot in a file: what a standby serves, and what a restart begins with."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

from proxy.envoy.snapshot import Resource, Snapshot, snapshot


class SnapshotFileError(Exception):
    """The file can't be read as a snapshot."""


def write(path: Path, content: Snapshot) -> None:
    """Replace the file in one step, readable by its owner alone: it holds the key that signs cohort tokens."""
    prepared = prepare(path, content)
    commit(path, prepared)


def prepare(path: Path, content: Snapshot) -> Path:
    """Write beside ``path``; ``commit`` puts it in place. So the writing can go on while proxies are still asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    prepared = path.with_name(f".{path.name}.{os.getpid()}")
    data = {
        "version": content.version,
        "resources": {
            kind: [{"name": one.name, "value": base64.b64encode(one.value).decode()} for one in resources]
            for kind, resources in content.resources.items()
        },
    }
    with os.fdopen(os.open(prepared, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(data, file)
    return prepared


def commit(path: Path, prepared: Path) -> None:
    prepared.replace(path)


def read(path: Path) -> Snapshot | None:
    """The snapshot, or None when no version was ever applied. Raises SnapshotFileError for anything else in there."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    try:
        data = json.loads(text)
        return snapshot(
            data["version"],
            {
                kind: tuple(Resource(one["name"], base64.b64decode(one["value"])) for one in resources)
                for kind, resources in data["resources"].items()
            },
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotFileError(
            f"{path} is not a snapshot ({error}); remove it, the control plane writes it anew"
        ) from error
