"""Secrets that are made at the first start: the API's token, the key that signs cohort tokens."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


class SecretError(Exception):
    """A secret's file can't be used as it is."""


def token(state: Path) -> str:
    """The API's bearer token, from ``state/token``; made if missing, readable by the owner alone."""
    return _kept(state / "token", lambda: secrets.token_urlsafe(32)).strip()


def cohort_key(state: Path) -> bytes:
    """32 bytes for signing cohort tokens, from ``state/cohort.key``."""
    return bytes.fromhex(_kept(state / "cohort.key", lambda: secrets.token_hex(32)).strip())


def _kept(path: Path, make: Callable[[], str]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            raise SecretError(f"{path} can be read by others: chmod 600 it, or delete it to have a new one") from None
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        text = make()
        file.write(text)
    return text
