"""Password hashing with Argon2, at a cost that the settings choose."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Passwords:
    """Hashes and checks. Stored hashes carry their own cost, so changing the settings breaks no log-in."""

    def __init__(self, time_cost: int = 1, memory_kib: int = 1024) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)

    def hash(self, password: str, salt: bytes | None = None) -> str:
        """``salt`` (16 bytes) only for seeds that must come out the same."""
        return self._hasher.hash(password, salt=salt)

    def right(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
