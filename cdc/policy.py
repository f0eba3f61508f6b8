"""What a stream does when a table that it reads is altered: the choice of whoever runs it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reaction(StrEnum):
    STOP = "stop"  # with the statement shown; asking for the stream again goes on past it
    FOLLOW = "follow"  # go on with the new shape; copy the table again where its rows may have changed without an event
    IGNORE = "ignore"  # go on with the new shape, and leave rows at the target as they are


class Alteration(StrEnum):
    """What may happen to a table, in the words of ``strangler.toml``."""

    ADD = "add"  # a column came
    DROP = "drop"  # a column went
    CHANGE = "change"  # a column or the key is of another kind
    RENAME = "rename"  # a column has another name
    SWAP = "swap"  # another table stands under the name, or rows went or came by the statement itself


@dataclass(frozen=True)
class SchemaPolicy:
    """A reaction for each alteration. Whatever it is, a stream stops where its mapping reads what is gone.

    ``swap`` can't be ignored: rows would be lost.
    """

    add: Reaction = Reaction.FOLLOW
    drop: Reaction = Reaction.FOLLOW
    change: Reaction = Reaction.FOLLOW
    rename: Reaction = Reaction.FOLLOW
    swap: Reaction = Reaction.FOLLOW

    def __post_init__(self) -> None:
        if self.swap is Reaction.IGNORE:
            raise ValueError("swap can't be ignored: rows of the table that was swapped in would be lost")

    def to(self, alteration: Alteration) -> Reaction:
        return Reaction(getattr(self, alteration))
