"""Unpacked server programs in the cache: once per artifact, complete or not there at all."""

from __future__ import annotations

import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from strangler.dev.artifacts import ArtifactError, fetch_all, pinned
from strangler.dev.cache import cache_folder, locked


def server_tree(name: str, *, cache: Path | None = None) -> Path:
    """The unpacked folder of the server ``name`` (mysql or mariadb), fetched and unpacked first if need be.

    Raises ArtifactError as ``artifacts.fetch`` does.
    """
    cache = cache or cache_folder()
    (artifact,) = pinned(name)
    # The sum is in the name: a newly pinned version makes a new tree and never half of one.
    tree = cache / "servers" / f"{name}-{artifact.sha256[:12]}"
    if tree.is_dir():
        return tree
    (archive,) = fetch_all([artifact], label=name, cache=cache)
    with locked(cache, f"tree-{name}"):
        if not tree.is_dir():
            tree.parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=tree.parent))
            try:
                UNPACK[name](archive, folder)
                folder.chmod(0o755)
                folder.rename(tree)
            except (OSError, zipfile.BadZipFile, tarfile.TarError, KeyError) as error:
                raise ArtifactError(f"{archive} can't be unpacked to {tree}: {error}") from error
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    return tree


def _unpack_mysql(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as jar, jar.open("mysql-Linux-amd64.tar.gz") as inner:
        with tarfile.open(fileobj=inner, mode="r:gz") as tar:
            if hasattr(tarfile, "data_filter"):
                tar.extractall(folder, filter="data")
            else:
                # Python before 3.11.4 has no filters; what is unpacked here is known by its sum.
                tar.extractall(folder)


def _unpack_mariadb(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as jar:
        for entry in jar.infolist():
            parts = Path(entry.filename).parts
            if entry.is_dir() or "linux" not in parts:
                continue
            target = folder.joinpath(*parts[parts.index("linux") + 1 :])
            target.parent.mkdir(parents=True, exist_ok=True)
            with jar.open(entry) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
            if target.parent.name in ("bin", "scripts"):
                target.chmod(target.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


UNPACK: dict[str, Callable[[Path, Path], None]] = {"mysql": _unpack_mysql, "mariadb": _unpack_mariadb}
