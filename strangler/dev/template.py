"""Freshly initialised data folders, kept in the cache: initialising takes seconds, copying a fraction of one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from strangler.dev.cache import locked

CHUNK = 1 << 20
ZEROS = bytes(CHUNK)


def copy_of(template: Path, make: Callable[[Path], None], target: Path) -> None:
    """Copy the folder ``template`` to ``target``; where there is no template yet, ``make`` fills a folder with it.

    A template is complete or not there; parallel runs make it once. What ``make`` raises goes through.
    """
    if not template.is_dir():
        template.parent.mkdir(parents=True, exist_ok=True)
        with locked(template.parent, template.name):
            if not template.is_dir():
                folder = Path(tempfile.mkdtemp(prefix=f"{template.name}-", dir=template.parent))
                try:
                    make(folder / "data")
                    (folder / "data").rename(template)
                finally:
                    shutil.rmtree(folder)
    shutil.copytree(template, target, copy_function=copy_sparse)


def copy_sparse(source: str, target: str) -> None:
    """Copy a file with its mode; runs of zeros become holes (most of a new server's log files is zeros)."""
    with Path(source).open("rb") as reader, Path(target).open("wb") as writer:
        while chunk := reader.read(CHUNK):
            if chunk == ZEROS[: len(chunk)]:
                writer.seek(len(chunk), 1)
            else:
                writer.write(chunk)
        writer.truncate(reader.tell())
    shutil.copymode(source, target)
