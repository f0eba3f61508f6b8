"""The two system libraries that the MySQL server needs and a bare machine may not have."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from strangler.dev.cache import CacheError, locked

APT_SECONDS = 300


@dataclass(frozen=True)
class Library:
    """A shared library by its soname, and the Debian packages it may be in (newer releases renamed some)."""

    soname: str
    packages: tuple[str, ...]


NEEDED = (Library("libaio.so.1", ("libaio1", "libaio1t64")), Library("libnuma.so.1", ("libnuma1",)))


class MissingLibraries(CacheError):
    """Some libraries are nowhere and can't be fetched; the text names them and their packages."""


def library_path(cache: Path, needed: tuple[Library, ...] = NEEDED, *, install: bool | None = None) -> Path | None:
    """The folder to put into LD_LIBRARY_PATH for the server, or None if the system has all it needs.

    Looks at the system, then at the cache; then installs the packages if ``install`` (by default: if this
    user is root), else unpacks them into the cache without root. Raises MissingLibraries.
    """
    folder = cache / "libraries"
    missing = [library for library in needed if not on_system(library)]
    if not missing:
        return None
    if all((folder / library.soname).exists() for library in missing):
        return folder
    with locked(cache, "libraries"):
        may_install = os.geteuid() == 0 if install is None else install
        if may_install and _installed(missing):
            return None
        problems = [problem for library in missing if (problem := _unpack(library, folder))]
    if problems:
        packages = " ".join(library.packages[0] for library in missing)
        raise MissingLibraries(
            f"MySQL needs {', '.join(library.soname for library in missing)}: as root, apt-get install {packages} "
            f"(tried without root: {'; '.join(problems)})"
        )
    return folder


def on_system(library: Library) -> bool:
    """Whether the dynamic loader finds it without our help."""
    try:
        ctypes.CDLL(library.soname)
    except OSError:
        return False
    return True


def _installed(missing: list[Library]) -> bool:
    if not shutil.which("apt-get"):
        return False
    for library in missing:
        for package in library.packages:
            if not _apt("install", "-y", "-q", "--no-install-recommends", package):
                break
    return all(on_system(library) for library in missing)


def _unpack(library: Library, folder: Path) -> str | None:
    """Put the library into ``folder`` without root. Gives what went wrong, or None."""
    if (folder / library.soname).exists():
        return None
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return "this system has no apt-get and dpkg-deb"
    problem: str | None = "no package lists (apt-get update, as root, makes them)"
    for package in library.packages:
        with tempfile.TemporaryDirectory(prefix="strangler-") as scratch:
            problem = _apt("download", "-q", package, folder=scratch)
            if problem:
                continue
            for archive in Path(scratch).glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", archive, scratch], check=True, capture_output=True)
            found = sorted(Path(scratch).rglob(f"{library.soname}*"), key=lambda path: len(path.name))
            if not found:
                problem = f"{package} holds no {library.soname}"
                continue
            folder.mkdir(parents=True, exist_ok=True)
            part = folder / f".{library.soname}.part"
            shutil.copyfile(found[0].resolve(), part)
            part.chmod(0o755)
            part.rename(folder / library.soname)
            return None
    return problem


def _apt(*arguments: str, folder: str | None = None) -> str | None:
    """Run apt-get; gives the last line it complained with, or None if it went well."""
    # Several apt-gets queue up behind the system's lock rather than fail.
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=120", *arguments]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=APT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"{' '.join(command)} took more than {APT_SECONDS} s"
    if done.returncode == 0:
        return None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"{' '.join(command)} failed"
