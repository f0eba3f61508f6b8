"""MySQL's two libraries, had without root, and the server running on them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from strangler.dev import libraries
from strangler.dev.libraries import Library, MissingLibraries, library_path
from strangler.dev.mysql import MySQLProgram, private_mysql
from strangler.dev.server import PrivateServer


def package_lists() -> bool:
    """Whether apt-get knows where to get libaio1 from."""
    if not shutil.which("apt-cache"):
        return False
    said = subprocess.run(["apt-cache", "policy", "libaio1"], capture_output=True, text=True, check=False).stdout
    return "Candidate:" in said and "Candidate: (none)" not in said


def test_what_the_system_has_needs_nothing(tmp_path: Path) -> None:
    assert library_path(tmp_path, (Library("libc.so.6", ("libc6",)),)) is None


def test_what_the_cache_has_is_used(tmp_path: Path) -> None:
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries" / "libnone.so.1").touch()
    assert library_path(tmp_path, (Library("libnone.so.1", ("libnone1",)),)) == tmp_path / "libraries"


@pytest.mark.real
def test_nowhere_to_be_had_names_library_and_package(tmp_path: Path) -> None:
    with pytest.raises(MissingLibraries, match=r"needs libnone\.so\.1: as root, apt-get install libnone1 "):
        library_path(tmp_path, (Library("libnone.so.1", ("libnone1",)),), install=False)


@pytest.mark.real
@pytest.mark.skipif(not package_lists(), reason="no package lists on this machine: apt-get update")
def test_without_root_the_server_runs_on_unpacked_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "on_system", lambda library: False)
    folder = library_path(tmp_path, install=False)
    assert folder is not None
    assert {file.name for file in folder.iterdir()} == {"libaio.so.1", "libnuma.so.1"}
    usual = private_mysql()
    program = MySQLProgram(usual.binary, usual.base, {"LD_LIBRARY_PATH": str(folder)})
    with PrivateServer(program, tmp_path / "server") as server:
        loaded = Path(f"/proc/{server.pid}/maps").read_text()
    assert str(folder / "libaio.so.1") in loaded
    assert str(folder / "libnuma.so.1") in loaded
