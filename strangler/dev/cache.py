"""The one folder of the user's that downloads and unpacked servers are kept in, shared by all checkouts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

LOCK_SECONDS = 900
"""How long one run waits for another that downloads the same things."""


class CacheError(Exception):
    """The cache folder can't be used; the text says why and what to do."""


def cache_folder() -> Path:
    """``STRANGLER_CACHE`` if set, else the user's cache folder. Created if missing. Raises CacheError."""
    chosen = os.environ.get("STRANGLER_CACHE")
    folder = Path(chosen).expanduser().absolute() if chosen else user_cache_path("strangler")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CacheError(f"the cache folder {folder} can't be made ({error.strerror}): set STRANGLER_CACHE") from error
    if not os.access(folder, os.W_OK):
        raise CacheError(f"the cache folder {folder} is not writable for this user: set STRANGLER_CACHE to another one")
    return folder


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock ``name`` of the cache. Blocks while another process has it.

    Raises CacheError after LOCK_SECONDS.
    """
    lock = FileLock(folder / f"{name}.lock", timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise CacheError(f"another run has held {lock.lock_file} for {LOCK_SECONDS} s: end it and try again") from error
    try:
        yield
    finally:
        lock.release()
