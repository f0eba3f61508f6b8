"""Foreign keys that change rows without anybody writing them: no trigger is fired, no change event made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cdc.ownership.fence import Guarded
from cdc.session import Session

_ROWS = (
    "SELECT r.CONSTRAINT_NAME, r.TABLE_NAME, r.REFERENCED_TABLE_NAME, r.DELETE_RULE, r.UPDATE_RULE, k.COLUMN_NAME,"
    " k.REFERENCED_COLUMN_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS r"
    " JOIN information_schema.KEY_COLUMN_USAGE k ON k.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA"
    " AND k.CONSTRAINT_NAME = r.CONSTRAINT_NAME AND k.TABLE_NAME = r.TABLE_NAME"
    " WHERE r.CONSTRAINT_SCHEMA = DATABASE() ORDER BY r.TABLE_NAME, r.CONSTRAINT_NAME, k.ORDINAL_POSITION"
)
_CHANGES = ("CASCADE", "SET NULL", "SET DEFAULT")


@dataclass(frozen=True)
class ForeignKey:
    """``child.columns`` point at ``parent.referenced``; the rules as the server names them."""

    name: str
    child: str
    parent: str
    on_delete: str
    on_update: str
    columns: tuple[str, ...]
    referenced: tuple[str, ...]


def foreign_keys(session: Session) -> list[ForeignKey]:
    """All of the session's schema."""
    found: dict[tuple[str, str], ForeignKey] = {}
    with session.cursor() as cursor:
        cursor.execute(_ROWS)
        for name, child, parent, on_delete, on_update, column, referenced in cursor.fetchall():
            key = found.get((child, name))
            columns = (*key.columns, str(column)) if key else (str(column),)
            pointed = (*key.referenced, str(referenced)) if key else (str(referenced),)
            found[child, name] = ForeignKey(
                str(name), str(child), str(parent), str(on_delete), str(on_update), columns, pointed
            )
    return list(found.values())


def crossing(keys: Iterable[ForeignKey], guards: Sequence[Guarded]) -> list[ForeignKey]:
    """Those by which a write that one owner may do changes what belongs to another. Pure."""
    by_table = {guard.table.lower(): guard for guard in guards}
    return [key for key in keys if _crosses(key, by_table.get(key.child.lower()), by_table.get(key.parent.lower()))]


def _crosses(key: ForeignKey, child: Guarded | None, parent: Guarded | None) -> bool:
    delete = key.on_delete in _CHANGES
    update = key.on_update in _CHANGES
    if child is not None and parent is None:
        if child.columns is None:
            return delete or update
        # of a group, what happens to the row or to the group's own columns
        touched = _common(key.columns, child.columns)
        return key.on_delete == "CASCADE" or ((delete or update) and touched)
    if parent is not None and child is None:
        if parent.columns is None or parent.inserts:
            return delete or update
        return update and _common(key.referenced, parent.columns)
    return False


def _common(left: Sequence[str], right: Sequence[str]) -> bool:
    return bool({name.lower() for name in left} & {name.lower() for name in right})
