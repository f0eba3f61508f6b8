"""Two answers to the same request: where do they differ?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contracts.case import Contract
from contracts.visitor import Answer

MOST_PLACES = 5
ABSENT = "(absent)"


@dataclass(frozen=True)
class Place:
    """One spot where two answers differ: ``status``, ``header NAME``, a JSON path such as ``$.items[0].price``, or
    ``byte N``."""

    path: str
    legacy: str
    new: str


def places(contract: Contract, legacy: Answer, new: Answer, bodies: tuple[bytes, bytes] | None = None) -> list[Place]:
    """Where they differ, at most ``MOST_PLACES``; none if they are equal after the contract's normalisation (``bodies``
    if it was done already)."""
    found = []
    if legacy.status != new.status:
        found.append(Place("status", str(legacy.status), str(new.status)))
    for name in contract.headers:
        one, other = legacy.headers.get(name, ABSENT), new.headers.get(name, ABSENT)
        if one != other:
            found.append(Place(f"header {name}", one, other))
    one_body, other_body = bodies or (contract.normalise(legacy), contract.normalise(new))
    if one_body != other_body:
        found.extend(_in_bodies(one_body, other_body, MOST_PLACES - len(found)))
    return found


def _in_bodies(legacy: bytes, new: bytes, most: int) -> list[Place]:
    try:
        pairs = _walk("$", json.loads(legacy), json.loads(new))
        found = [place for place, _ in zip(pairs, range(most), strict=False)]
    except ValueError:
        found = []
    if found:
        return found
    # Not JSON, or equal values written differently (order of keys, blanks, escapes).
    at = next((at for at, (a, b) in enumerate(zip(legacy, new, strict=False)) if a != b), min(len(legacy), len(new)))
    return [Place(f"byte {at}", repr(legacy[at : at + 40]), repr(new[at : at + 40]))]


def _walk(path: str, legacy: Any, new: Any) -> Iterator[Place]:
    if isinstance(legacy, dict) and isinstance(new, dict):
        for name in [*legacy, *(name for name in new if name not in legacy)]:
            if name not in legacy or name not in new:
                yield Place(f"{path}.{name}", _shown(legacy, name), _shown(new, name))
            else:
                yield from _walk(f"{path}.{name}", legacy[name], new[name])
    elif isinstance(legacy, list) and isinstance(new, list):
        if len(legacy) != len(new):
            yield Place(f"{path} (length)", str(len(legacy)), str(len(new)))
        for at, (one, other) in enumerate(zip(legacy, new, strict=False)):
            yield from _walk(f"{path}[{at}]", one, other)
    elif type(legacy) is not type(new) or legacy != new:
        yield Place(path, _text(legacy), _text(new))


def _shown(owner: dict[str, Any], name: str) -> str:
    return _text(owner[name]) if name in owner else ABSENT


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}..."
