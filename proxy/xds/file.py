"""The last applied snapshot in a file: what a standby serves, and what a restart begins with."""

from __future__ import annotations

import json
import os
from pathlib import Path

from proxy.envoy.snapshot import Resource, Snapshot, snapshot


class SnapshotFileError(Exception):
    """The file can't be read as a snapshot."""


def write(path: Path, content: Snapshot) -> None:
    """Replace the file in one step, readable by its owner alone: it holds the key that signs cohort tokens.

    A line of JSON says what follows it: the resources' bytes, as they are. (As text they would take several times as
    long.)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    prepared = path.with_name(f".{path.name}.{os.getpid()}")
    head = {
        "version": content.version,
        "resources": {kind: [[one.name, len(one.value)] for one in some] for kind, some in content.resources.items()},
    }
    parts = [json.dumps(head).encode(), b"\n", *(one.value for some in content.resources.values() for one in some)]
    with os.fdopen(os.open(prepared, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(b"".join(parts))
    prepared.replace(path)


def read(path: Path) -> Snapshot | None:
    """The snapshot, or None when no version was ever applied. Raises SnapshotFileError for anything else in there."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        line, _, rest = content.partition(b"\n")
        head = json.loads(line)
        resources, at = {}, 0
        for kind, some in head["resources"].items():
            found = []
            for name, length in some:
                found.append(Resource(name, rest[at : at + length]))
                at += length
            resources[kind] = tuple(found)
        if at != len(rest):
            raise ValueError(f"{len(rest)} bytes where there should be {at}")
        return snapshot(head["version"], resources)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SnapshotFileError(
            f"{path} is not a snapshot ({error}); remove it, the control plane writes it anew"
        ) from error
