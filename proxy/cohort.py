"""Signed membership: tokens that make the proxy believe a client's cohort or override.

A token is a JWT (HS256). Envoy checks it (jwt_authn) and turns its claim ``lane`` into the request's lane.
"""

from __future__ import annotations

import base64
import json
import time

import jwt

from proxy.envoy.names import EVERYBODY
from proxy.flags import FlagError
from proxy.routes import Side

COOKIE = "strangler_cohort"
HEADER = "x-strangler-token"
ISSUER = "strangler"
LANE_CLAIM = "lane"
MIN_KEY_BYTES = 32  # RFC 7518, 3.2: a key as long as the hash


def token(cohort: str | None, key: bytes, ttl_s: int, *, override: Side | None = None) -> str:
    """A signed token for the cookie ``strangler_cohort`` or the header ``x-strangler-token``, good for ``ttl_s``.

    Raises FlagError unless exactly one of ``cohort`` and ``override`` is given, and for a key that is too short.
    """
    if (cohort is None) == (override is None):
        raise FlagError("a token is for a cohort or for an override to a side, one of the two")
    if cohort is not None:
        check_name(cohort)
    check_key(key)
    now = int(time.time())
    claims = {"iss": ISSUER, "iat": now, "exp": now + ttl_s, LANE_CLAIM: cohort or str(override)}
    return jwt.encode(claims, key, algorithm="HS256", headers={"kid": ISSUER})


def check_key(key: bytes) -> None:
    """Raise FlagError for a key that could be guessed."""
    if len(key) < MIN_KEY_BYTES:
        raise FlagError(f"the signing key has {len(key)} bytes; {MIN_KEY_BYTES} or more are needed")


def check_name(cohort: str) -> None:
    """Raise FlagError for a cohort name that means something else, or that can't be a header's value."""
    if cohort in (Side.LEGACY, Side.NEW, EVERYBODY):
        raise FlagError(f"a cohort can't be called '{cohort}': choose another name")
    if not cohort or not all(c.isascii() and (c.islower() or c.isdigit() or c in "-_") for c in cohort):
        raise FlagError(f"cohort '{cohort}': small letters, digits, '-' and '_' make a name")


def jwks(key: bytes) -> str:
    """The key as a JSON Web Key Set, as Envoy wants it."""
    value = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
    return json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "kid": ISSUER, "k": value}]})
