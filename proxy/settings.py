"""What holds for the whole proxy: who is the same user, which cohorts exist, whom to believe."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Identity:
    """Who is the same user: the value of a cookie or (instead) of a request header.

    ``issue``: the proxy hands the cookie out to those who have none (never with ``header``).
    """

    cookie: str | None = "strangler_uid"
    header: str | None = None
    issue: bool = True

    @property
    def issues(self) -> bool:
        """Whether the proxy hands out the cookie."""
        return self.issue and self.header is None and self.cookie is not None


@dataclass(frozen=True)
class ProxySettings:
    """``key`` signs cohort tokens and overrides (HS256, 32 bytes or more); without it only ``networks`` (CIDRs whose
    clients may send ``x-strangler-override`` and ``x-strangler-cohort`` unsigned) may steer. ``salt`` is mixed into
    every bucket, so that nobody outside can compute them."""

    identity: Identity = field(default_factory=Identity)
    cohorts: frozenset[str] = frozenset()
    key: bytes | None = field(default=None, repr=False)
    networks: tuple[str, ...] = ()
    salt: str = ""
