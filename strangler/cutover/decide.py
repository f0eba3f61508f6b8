"""What is left of a move, and what it calls for. Pure.

The databases' ownership rows are the truth, the journal's mark only says which way to go while nobody owns: rows are
moved in one order, so that at no point both databases take writes, and every point tells where it is.

====================  ===============  ======  =====================================================
old side's row says   owner's row      mark    what happened, what follows
====================  ===============  ======  =====================================================
old                   old              any     nothing was fenced: undo
nobody                old              no      fenced, not journaled: undo
nobody                old              yes     journaled: complete
owner                 old              any     handed over, and that only follows the mark: complete
owner                 owner            any     moved: complete (release, write down)
====================  ===============  ======  =====================================================

(*Nobody*: the row names the owner, but admits none of its changes yet: neither side can write.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from proxy.routes import Side

NOBODY = "nobody"


class Way(StrEnum):
    """Which way a move goes on."""

    UNDO = "undo"
    COMPLETE = "complete"


class Command(StrEnum):
    """What has to be done, in the order in which ``decide`` gives it. Each may be repeated without harm."""

    GIVE_BACK = "give back"  # the old side's row: the old side owns
    HAND_OVER = "hand over"  # the old side's row: the new owner owns, its changes from here on are applied
    TAKE_OVER = "take over"  # the new owner's row: it owns
    RELEASE_TO_OLD = "release to old"
    RELEASE_TO_OWNER = "release to owner"


@dataclass(frozen=True)
class Found:
    """The facts: who each database's row says the owner is, whether the journal has its mark, whether requests wait,
    and whether the rows have the same fencing token (not so in between, nor where giving back was cut off)."""

    old_row: str  # of the old side's database: a side's name, or NOBODY
    owner_row: str  # of the new owner's database
    marked: bool
    holding: bool
    even: bool = True


class Impossible(Exception):
    """Facts that no crash of a move leaves behind: somebody changed the rows by hand. Nothing is touched."""


def way(old: Side, owner: Side, found: Found) -> Way:
    """Raises Impossible."""
    rows = (found.old_row, found.owner_row)
    if rows == (old, old):
        return Way.UNDO
    if rows == (NOBODY, old):
        return Way.COMPLETE if found.marked else Way.UNDO
    if rows in ((owner, old), (owner, owner)):
        return Way.COMPLETE
    raise Impossible(
        f"the ownership rows say {found.old_row} at {old} and {found.owner_row} at {owner}: no move leaves that behind."
        " Compare the two sides (strangler verify) and ask whoever changed strangler.ownership by hand"
    )


def decide(old: Side, owner: Side, found: Found) -> list[Command]:
    """What is still to be done, in order; nothing when all is done. Raises Impossible."""
    commands: list[Command] = []
    if way(old, owner, found) is Way.UNDO:
        if found.old_row == NOBODY or not found.even:
            commands.append(Command.GIVE_BACK)
        if found.holding:
            commands.append(Command.RELEASE_TO_OLD)
        return commands
    if found.old_row == NOBODY:
        commands.append(Command.HAND_OVER)
    if found.owner_row != owner:
        commands.append(Command.TAKE_OVER)
    commands.append(Command.RELEASE_TO_OWNER)
    return commands
