"""From two sets of digests to the keys that are not equal: values in, values out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def suspects(legacy: Mapping[K, V], new: Mapping[K, V]) -> list[K]:
    """Keys that only one side has, or that have other values on the two, in the order in which they were read."""
    differing = [key for key, value in legacy.items() if new.get(key) != value]
    return differing + [key for key in new if key not in legacy]
