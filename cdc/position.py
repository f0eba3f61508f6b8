"""Places in a binlog: GTID sets of MySQL and MariaDB, and file with offset. Pure values.

``contains`` is the only order there is: a position contains another when everything up to the other is also in it. GTID
sets are ordered only partly; two sets of which neither contains the other are simply not ordered.

Formats: MySQL ``uuid:1-5:7,uuid:...`` (a UUID may carry a tag, ``uuid:tag:1-5``, MySQL 8.3); MariaDB
``domain-server-sequence,...``; file and offset ``binlog.000012:4711``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MARIADB = re.compile(r"(\d+)-(\d+)-(\d+)")
_INTERVAL = re.compile(r"(\d+)(?:-(\d+))?")
_TAG = re.compile(r"[a-z_][a-z0-9_]*", re.IGNORECASE)
_FILE = re.compile(r"(.*?)\.?(\d+)")

Interval = tuple[int, int]


class PositionError(ValueError):
    """The text is no position, or two positions are of different kinds."""


@dataclass(frozen=True)
class MySqlGtids:
    """A MySQL GTID set: per source (UUID, or UUID:tag) closed intervals, sorted and merged."""

    sources: tuple[tuple[str, tuple[Interval, ...]], ...]

    @classmethod
    def parse(cls, text: str) -> MySqlGtids:
        """Raises PositionError for anything that is no set. The empty text is the empty set."""
        found: dict[str, list[Interval]] = {}
        for part in filter(None, (p.strip() for p in text.replace("\n", "").split(","))):
            uuid, *rest = part.split(":")
            if not _UUID.fullmatch(uuid) or not rest:
                raise PositionError(f"no MySQL GTID set: {part!r}")
            source = uuid.lower()
            for piece in rest:
                interval = _INTERVAL.fullmatch(piece)
                if interval:
                    first, last = int(interval[1]), int(interval[2] or interval[1])
                    if first > last:
                        raise PositionError(f"interval {piece!r} runs backwards in {part!r}")
                    found.setdefault(source, []).append((first, last))
                elif _TAG.fullmatch(piece):
                    source = f"{uuid.lower()}:{piece.lower()}"
                else:
                    raise PositionError(f"no interval: {piece!r} in {part!r}")
        return cls(tuple(sorted((source, _merge(intervals)) for source, intervals in found.items())))

    @cached_property
    def _by_source(self) -> dict[str, tuple[Interval, ...]]:
        return dict(self.sources)

    def contains(self, other: MySqlGtids) -> bool:
        return all(
            any(a <= first and last <= b for a, b in self._by_source.get(source, ()))
            for source, intervals in other.sources
            for first, last in intervals
        )

    def union(self, other: MySqlGtids) -> MySqlGtids:
        merged = {source: list(intervals) for source, intervals in self.sources}
        for source, intervals in other.sources:
            merged.setdefault(source, []).extend(intervals)
        return MySqlGtids(tuple(sorted((source, _merge(found)) for source, found in merged.items())))

    def count(self) -> int:
        """How many transactions the set names."""
        return sum(last - first + 1 for _, intervals in self.sources for first, last in intervals)

    def __str__(self) -> str:
        return ",".join(
            source + "".join(f":{first}" if first == last else f":{first}-{last}" for first, last in intervals)
            for source, intervals in self.sources
        )


@dataclass(frozen=True)
class MariaDbGtids:
    """A MariaDB GTID position: per replication domain the last sequence number, with the server that wrote it.

    Within a domain sequence numbers only grow, so the last one stands for all before it.
    """

    domains: tuple[tuple[int, int, int], ...]

    @classmethod
    def parse(cls, text: str) -> MariaDbGtids:
        """Of several entries for one domain (one per server) the highest sequence counts. Raises PositionError."""
        found: dict[int, tuple[int, int, int]] = {}
        for part in filter(None, (p.strip() for p in text.split(","))):
            match = _MARIADB.fullmatch(part)
            if not match:
                raise PositionError(f"no MariaDB GTID: {part!r}")
            domain, server, sequence = (int(number) for number in match.groups())
            if domain not in found or found[domain][2] < sequence:
                found[domain] = (domain, server, sequence)
        return cls(tuple(sorted(found.values())))

    @cached_property
    def _by_domain(self) -> dict[int, int]:
        return {domain: sequence for domain, _, sequence in self.domains}

    def contains(self, other: MariaDbGtids) -> bool:
        return all(self._by_domain.get(domain, -1) >= sequence for domain, _, sequence in other.domains)

    def union(self, other: MariaDbGtids) -> MariaDbGtids:
        return MariaDbGtids.parse(f"{self},{other}")

    def count(self) -> int:
        """The sum of the last sequence numbers: differences of it count transactions."""
        return sum(sequence for _, _, sequence in self.domains)

    def __str__(self) -> str:
        return ",".join(f"{domain}-{server}-{sequence}" for domain, server, sequence in self.domains)


Gtids = MySqlGtids | MariaDbGtids


def parse_gtids(text: str) -> Gtids | None:
    """The set in ``text``, recognised by its shape; None for the empty text. Raises PositionError for anything else."""
    if not text.strip():
        return None
    if _MARIADB.fullmatch(text.split(",")[0].strip()):
        return MariaDbGtids.parse(text)
    return MySqlGtids.parse(text)


@dataclass(frozen=True)
class Position:
    """A point in one server's binlog: a GTID set, or file and offset where the server has no GTIDs; often both."""

    gtids: Gtids | None = None
    file: str | None = None
    offset: int | None = None

    def __post_init__(self) -> None:
        if self.gtids is None and (not self.file or self.offset is None):
            raise PositionError("a position needs a GTID set, or a binlog file and an offset")

    @classmethod
    def parse(cls, text: str) -> Position:
        """The inverse of ``str``: ``file:offset``, a GTID set, or ``GTID set @ file:offset``. Raises PositionError."""
        left, at, right = text.partition(" @ ")
        if at:
            return cls(parse_gtids(left), *_file_and_offset(right))
        try:
            return cls(parse_gtids(text))
        except PositionError:
            return cls(None, *_file_and_offset(text))

    def contains(self, other: Position) -> bool:
        """Whether everything up to ``other`` is in ``self``. Raises PositionError for positions of different kinds."""
        if isinstance(self.gtids, MySqlGtids) and isinstance(other.gtids, MySqlGtids):
            return self.gtids.contains(other.gtids)
        if isinstance(self.gtids, MariaDbGtids) and isinstance(other.gtids, MariaDbGtids):
            return self.gtids.contains(other.gtids)
        if self.file and other.file and self.offset is not None and other.offset is not None:
            return (file_number(self.file), self.offset) >= (file_number(other.file), other.offset)
        raise PositionError(f"positions of different kinds can't be compared: {self} and {other}")

    def with_transaction(self, gtid: str | None) -> Position:
        """This position with one more transaction in it; itself where there are no GTIDs."""
        added = parse_gtids(gtid or "")
        return self if added is None else Position(_union(self.gtids, added), self.file, self.offset)

    def __str__(self) -> str:
        place = f"{self.file}:{self.offset}" if self.file and self.offset is not None else ""
        return " @ ".join(filter(None, (str(self.gtids) if self.gtids else "", place)))


def file_number(file: str) -> int:
    """The number in a binlog file's name; names of one server are ordered by it. Raises PositionError."""
    match = _FILE.fullmatch(file)
    if not match:
        raise PositionError(f"no binlog file name: {file!r}")
    return int(match[2])


def _union(left: Gtids | None, right: Gtids) -> Gtids:
    if left is None:
        return right
    if isinstance(left, MySqlGtids) and isinstance(right, MySqlGtids):
        return left.union(right)
    if isinstance(left, MariaDbGtids) and isinstance(right, MariaDbGtids):
        return left.union(right)
    raise PositionError(f"GTIDs of different kinds can't be joined: {left} and {right}")


def _file_and_offset(text: str) -> tuple[str, int]:
    file, colon, offset = text.rpartition(":")
    if not colon or not file or not offset.isdigit():
        raise PositionError(f"no position: {text!r}")
    return file, int(offset)


def _merge(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)
