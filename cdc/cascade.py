"""Rows that a foreign key changes: the server does it below its binlog, so no event of the child's table tells it.

What follows from an event of the parent's table is done to the target's rows instead, where the mapping lets it be
told; the rest is refused by the constraint's name, unless it is accepted that only a comparison finds it. Pure but for
reading the keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cdc.apply.stage import Staging, quoted
from cdc.apply.write import Writer, alike
from cdc.event import Change, Event, Place, Row
from cdc.expression import plain_column
from cdc.mention import mentioned
from cdc.schema import Table
from cdc.server import Server
from cdc.session import Session

_ACTS = ("CASCADE", "SET NULL")
_LOGGED_SINCE = (9, 6, 0)  # MySQL does it above its binlog since, unless told otherwise
_KEYS = """SELECT r.CONSTRAINT_NAME, r.TABLE_NAME, r.REFERENCED_TABLE_NAME, r.DELETE_RULE, r.UPDATE_RULE,
        k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME
    FROM information_schema.REFERENTIAL_CONSTRAINTS r JOIN information_schema.KEY_COLUMN_USAGE k
        ON k.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA AND k.CONSTRAINT_NAME = r.CONSTRAINT_NAME
        AND k.TABLE_NAME = r.TABLE_NAME AND k.REFERENCED_TABLE_SCHEMA = DATABASE()
    WHERE r.CONSTRAINT_SCHEMA = DATABASE() ORDER BY r.TABLE_NAME, r.CONSTRAINT_NAME, k.ORDINAL_POSITION"""


@dataclass(frozen=True)
class ForeignKey:
    """``columns`` of ``child`` point at ``referenced`` of ``parent``. Rules as the server writes them."""

    name: str
    child: str
    columns: tuple[str, ...]
    parent: str
    referenced: tuple[str, ...]
    on_delete: str
    on_update: str

    @property
    def acts(self) -> bool:
        return self.on_delete in _ACTS or self.on_update in _ACTS

    @property
    def rules(self) -> str:
        return f"ON DELETE {self.on_delete} ON UPDATE {self.on_update}"


@dataclass(frozen=True)
class Removed:
    """A step: rows of a parent's table are deleted now, and children with them; by one transaction, at ``place``."""

    parent: str
    rows: list[Row]
    place: Place


@dataclass(frozen=True)
class Effect:
    """What deleting rows of ``key.parent`` does to the target's rows. ``columns``: per writer of the child's table the
    target's columns that hold the key's."""

    key: ForeignKey
    staging: Staging
    columns: tuple[tuple[Writer, tuple[str, ...]], ...]

    def statements(self) -> list[str]:
        """With the parent's old rows in ``staging.before``."""
        return [self._statement(writer, columns) for writer, columns in self.columns]

    def _statement(self, writer: Writer, columns: tuple[str, ...]) -> str:
        there = writer.target.table.columns
        names = [quoted(name) for name in self.key.referenced]
        shown = ", ".join(
            f"{alike(name, there[column])} AS {name}" for name, column in zip(names, columns, strict=True)
        )
        same = " AND ".join(f"t.{quoted(column)} = d.{name}" for name, column in zip(names, columns, strict=True))
        found = f"(SELECT DISTINCT {shown} FROM {self.staging.before}) d"
        table = quoted(writer.mapping.table)
        if self.key.on_delete == "CASCADE":
            return f"DELETE t FROM {found} STRAIGHT_JOIN {table} t ON {same}"
        emptied = ", ".join(f"t.{quoted(column)} = NULL" for column in columns)
        return f"UPDATE {found} STRAIGHT_JOIN {table} t ON {same} SET {emptied}"


@dataclass(frozen=True)
class Cascades:
    """Those of one plan. ``effects`` are followed; ``moves`` are keys of which a changed parent key means that the
    child's table is copied again; ``refused`` are sentences; ``primary`` are the primary keys of parents."""

    effects: tuple[Effect, ...] = ()
    moves: tuple[ForeignKey, ...] = ()
    refused: tuple[str, ...] = ()
    primary: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def stagings(self) -> tuple[Staging, ...]:
        return tuple(effect.staging for effect in self.effects)

    def parents(self) -> tuple[str, ...]:
        """Tables whose events are needed."""
        return tuple(dict.fromkeys([*(e.key.parent for e in self.effects), *(key.parent for key in self.moves)]))

    def children(self, parents: Collection[str]) -> frozenset[str]:
        """Tables that deleting rows of these may change."""
        return frozenset(effect.key.child for effect in self.effects if effect.key.parent in parents)


@dataclass
class Parents:
    """Looks through events for what happened to parents, in order."""

    cascades: Cascades
    any: bool = field(init=False)
    deleting: frozenset[str] = field(init=False)
    again: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._keys = tuple(dict.fromkeys([*(effect.key for effect in self.cascades.effects), *self.cascades.moves]))
        self._parents = frozenset(key.parent for key in self._keys)
        self.any = bool(self._keys)
        self.deleting = frozenset(effect.key.parent for effect in self.cascades.effects)

    def see(self, events: Sequence[Event], at: int) -> bool:
        """Whether the event at this place deletes a row of a parent. Notes children to be copied again, where a key
        that they point at was changed, or may have been.

        A changed primary key comes as a delete and a create that say the same place in the binlog; so do, from some
        servers, a delete and an insert of one transaction. Where that makes a difference the children are copied."""
        event = events[at]
        if not isinstance(event, Change) or event.before is None or event.table not in self._parents:
            return False
        before = event.before
        if event.op != "d":
            self._copy([k for k in self.cascades.moves if k.parent == event.table and _differ(before, event.after, k)])
            return False
        following = events[at + 1] if at + 1 < len(events) else None
        keys = [key for key in self._keys if key.parent == event.table]
        after = following.after if isinstance(following, Change) and _one_update(event, following) else None
        primary = self.cascades.primary.get(event.table, ())
        if (after is None and following is not None) or (after and all(before.get(c) == after.get(c) for c in primary)):
            return event.table in self.deleting
        # what restricts changes of a key that has children can't have changed one that had: there it may be a delete
        if all(key.on_update not in _ACTS and (after is None or _differ(before, after, key)) for key in keys):
            return event.table in self.deleting
        self._copy(keys)
        return False

    def unclear(self, event: Event | None) -> bool:
        """Whether what follows the event decides what it means."""
        return isinstance(event, Change) and event.op == "d" and event.table in self._parents

    def _copy(self, keys: Iterable[ForeignKey]) -> None:
        for key in keys:
            self.again[key.child] = f"{key.name} {key.rules}: a key of {key.parent} was changed"


def _differ(before: Row, after: Row | None, key: ForeignKey) -> bool:
    return after is not None and any(before.get(column) != after.get(column) for column in key.referenced)


def _one_update(delete: Change, create: Change) -> bool:
    return (
        create.op == "c"
        and create.table == delete.table
        and (create.file, create.offset) == (delete.file, delete.offset)
    )


def read_foreign_keys(session: Session) -> list[ForeignKey]:
    """All of the session's schema that change rows of their own accord and log nothing of it."""
    server = Server.of(session)
    with session.cursor() as cursor:
        if not server.mariadb and server.version >= _LOGGED_SINCE:
            cursor.execute("SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'")
            native = cursor.fetchone()
            if native is None or str(native[1]).upper() != "ON":
                return []
        cursor.execute(_KEYS)
        rows = [tuple(str(value) for value in row) for row in cursor.fetchall()]
    found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for row in rows:
        found.setdefault((row[1], row[0]), []).append(row)
    return [
        ForeignKey(r[0][0], r[0][1], tuple(x[5] for x in r), r[0][2], tuple(x[6] for x in r), r[0][3], r[0][4])
        for r in found.values()
    ]


def plan_cascades(
    keys: Sequence[ForeignKey],
    every: Sequence[ForeignKey],
    writers: Sequence[Writer],
    sources: Mapping[str, Table],
    parents: Mapping[str, Table],
    accepted: Collection[str],
) -> Cascades:
    """What is followed of ``keys``, which have parents among ``parents``. ``every`` key of the schema decides that.
    ``sources`` are the mapped tables. Keys whose name is ``accepted`` are left out. Raises
    ``cdc.conversion.Unsupported`` for a parent's key that can't be carried."""
    effects, moves, refused = list[Effect](), list[ForeignKey](), list[str]()
    for key in keys:
        if key.child not in sources or not key.acts or key.name in accepted:
            continue
        why = _why_not(key, every, [w for w in writers if w.mapping.source == key.child], sources[key.child])
        if why is not None:
            refused.append(
                f"{key.child}: rows that the foreign key {key.name} ({key.rules}) changes make no change event, and"
                f" can't be told from those of {key.parent}: {why}"
            )
            continue
        if key.on_update in _ACTS:
            moves.append(key)
        if key.on_delete in _ACTS:
            staging = Staging.of(1000 + len(effects), parents[key.parent], key.referenced)
            used = [(w, _held(key, w, sources[key.child])) for w in writers if w.mapping.source == key.child]
            effects.append(Effect(key, staging, tuple((w, c) for w, c in used if c is not None)))
    primary = {name: table.primary_key for name, table in parents.items()} if effects or moves else {}
    return Cascades(tuple(effects), tuple(moves), tuple(refused), primary)


def _why_not(key: ForeignKey, keys: Iterable[ForeignKey], writers: Sequence[Writer], child: Table) -> str | None:
    for other in keys:
        overlaps = bool(set(other.columns) & set(key.referenced))
        if other.child == key.parent and (
            (other.on_delete == "CASCADE" and key.on_delete in _ACTS) or (overlaps and other.acts)
        ):
            return f"{key.parent} loses or changes rows by a foreign key itself ({other.name})"
    if key.on_delete not in _ACTS:
        return None
    for writer in writers:
        columns = _held(key, writer, child)
        if columns is None:
            return f"the mapping of {writer.mapping.table} does not have {', '.join(key.columns)} as plain columns"
        if key.on_delete == "SET NULL":
            others = [e for c, e in writer.mapping.expressions.items() if c not in columns]
            if mentioned([*others, writer.mapping.where or ""], key.columns) or set(columns) & set(writer.mapping.key):
                return (
                    f"the mapping of {writer.mapping.table} makes more of {', '.join(key.columns)} than plain columns"
                )
    return None


def _held(key: ForeignKey, writer: Writer, child: Table) -> tuple[str, ...] | None:
    """The target's columns that are nothing but the key's, in its order."""
    plain = {plain_column(e, child.columns): name for name, e in writer.mapping.expressions.items()}
    found = tuple(plain[column] for column in key.columns if column in plain)
    return found if len(found) == len(key.columns) else None
