from __future__ import annotations

from pathlib import Path

import pytest

from proxy.envoy import names
from proxy.envoy.snapshot import Resource, snapshot
from proxy.xds import file

SNAPSHOT = snapshot(
    7,
    {
        names.CLUSTER: (Resource("legacy", b"\n{}"), Resource("new:catalog", b"")),
        names.LISTENER: (),
        names.ROUTES: (Resource("strangler", bytes(range(256))),),
    },
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state" / "snapshot"
    assert file.read(path) is None
    file.write(path, SNAPSHOT)
    assert file.read(path) == SNAPSHOT
    assert [one.name for one in path.parent.iterdir()] == ["snapshot"]


@pytest.mark.parametrize("spoilt", ["", "[]", "{", "short", "long"])
def test_a_file_that_is_not_whole_is_no_snapshot(tmp_path: Path, spoilt: str) -> None:
    path = tmp_path / "snapshot"
    file.write(path, SNAPSHOT)
    content = path.read_bytes()
    path.write_bytes({"short": content[:-1], "long": content + b"x"}.get(spoilt, spoilt.encode()))
    with pytest.raises(file.SnapshotFileError, match="remove it"):
        file.read(path)
