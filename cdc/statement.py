"""What a statement that changes tables does to their rows: read from its text, because the server logs no row event
for what such a statement does to rows, and the engine tells only what a table looks like afterwards. Pure.

Reads what MySQL and MariaDB write into their binlogs. A statement that is not understood says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Name: TypeAlias = tuple[str, str]
"""Schema and table."""

_TOKEN = re.compile(
    r"/\*(?![!M]).*?\*/|--[ \t].*?(?:\n|$)|#.*?(?:\n|$)|/\*M?!\d*|\*/"  # comments, and the brackets of executable ones
    r"|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")"
    r"|`(?P<quoted>(?:[^`]|``)+)`|(?P<word>[\w$\u0080-\uffff]+)|(?P<sign>[^\s])",
    re.DOTALL,
)
_ROWLESS = frozenset({"blackhole", "memory", "heap"})
_NOT_A_TABLE = frozenset({"column", "index", "key", "constraint"})


@dataclass
class Statement:
    """``gone``: tables that no longer stand under this name; ``arrived``: tables that stand there now with rows that
    came without an event; ``rewritten``: why rows of a table went, came or changed without an event;
    ``columns``: per table its columns that have another name now (old to new); ``remade``: per table the columns that
    the statement defines anew. Names are as written, the schema that of the session where the statement names none.
    ``schemas``: whole schemas that were dropped; ``converted``: per table the character set of all its text now."""

    gone: set[Name] = field(default_factory=set)
    arrived: set[Name] = field(default_factory=set)
    rewritten: dict[Name, str] = field(default_factory=dict)
    columns: dict[Name, dict[str, str]] = field(default_factory=dict)
    remade: dict[Name, set[str]] = field(default_factory=dict)
    schemas: set[str] = field(default_factory=set)
    converted: dict[Name, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Word:
    text: str
    plain: bool  # neither quoted nor a string

    def is_(self, *words: str) -> bool:
        return self.plain and self.text.lower() in words


def read_statement(ddl: str, schema: str) -> Statement:
    """``schema`` is the session's. Never raises."""
    words, found = _Words(list(_words(ddl)), schema), Statement()
    if words.skip("rename") and words.skip("table", "tables"):
        _renames(words, found)
    elif words.skip("alter"):
        words.skip("online")
        ignore = words.skip("ignore")
        if words.skip("table"):
            _alter(words, found, ignore=ignore)
    elif words.skip("drop"):
        _drop(words, found)
    elif words.skip("create"):
        replaced = words.skip("or") and words.skip("replace")
        if not words.skip("temporary") and words.skip("table"):
            if_not_exists = words.skip("if")
            words.skip("not")
            words.skip("exists")
            name = words.name()
            if name is not None and (replaced or not if_not_exists):
                found.arrived.add(name)
    return found


def _renames(words: _Words, found: Statement) -> None:
    words.if_exists()
    while (old := words.name()) is not None:
        words.waiting()
        if not words.skip("to"):
            return
        new = words.name()
        if new is not None:
            _moved(found, old, new)
        if not words.skip(","):
            return


def _moved(found: Statement, old: Name, new: Name) -> None:
    found.arrived.discard(old)
    found.gone.add(old)
    found.gone.discard(new)
    found.arrived.add(new)


def _drop(words: _Words, found: Statement) -> None:
    if words.skip("database", "schema"):
        words.if_exists()
        if (word := words.next()) is not None:
            found.schemas.add(word.text)
        return
    if words.skip("temporary") or not words.skip("table", "tables"):
        return
    words.if_exists()
    while (name := words.name()) is not None:
        found.gone.add(name)
        if not words.skip(","):
            return


def _alter(words: _Words, found: Statement, *, ignore: bool) -> None:
    words.if_exists()
    table = words.name()
    if table is None:
        return
    words.waiting()
    if ignore:
        found.rewritten[table] = "ALTER IGNORE removes rows that clash"
    for part in words.parts():
        _part(part, table, found)


def _part(part: _Words, table: Name, found: Statement) -> None:
    """One of the changes that an ALTER TABLE lists."""
    if part.skip("rename"):
        if part.skip("column"):
            part.if_exists()
            old, _, new = part.next(), part.next(), part.next()
            if old is not None and new is not None:
                found.columns.setdefault(table, {})[old.text] = new.text
        elif not part.peek(*_NOT_A_TABLE):
            part.skip("to", "as", "=")
            new_name = part.name()
            if new_name is not None:
                _moved(found, table, new_name)
    elif part.skip("change"):
        part.skip("column")
        part.if_exists()
        old, new = part.next(), part.next()
        if old is not None and new is not None:
            found.remade.setdefault(table, set()).add(new.text)
            if old.text.lower() != new.text.lower():
                found.columns.setdefault(table, {})[old.text] = new.text
    elif part.skip("modify", "add"):
        _defined(part, table, found)
    elif part.peek("drop", "truncate") and part.peek("partition", at=1):
        found.rewritten[table] = f"{part.text(2)} removes rows"
    elif part.peek("exchange"):
        other = part.after("table")
        found.rewritten[table] = "EXCHANGE PARTITION swaps rows"
        if other is not None:
            found.rewritten[other] = "EXCHANGE PARTITION swaps rows"
    elif part.peek("convert") and part.peek("partition", at=1):
        found.rewritten[table] = "CONVERT PARTITION moves rows out"
        if (other := part.after("table")) is not None:
            found.arrived.add(other)
    elif part.peek("convert") and part.peek("table", at=1):
        found.rewritten[table] = "CONVERT TABLE moves rows in"
        if (other := part.after("table")) is not None:
            found.gone.add(other)
    elif part.peek("convert") and part.peek("to", at=1):
        if part.after_word("set", "charset"):
            found.converted[table] = part.text(1).lower()
    elif part.peek("discard", "import"):
        verb = part.text(1)
        if part.after_word("tablespace"):
            found.rewritten[table] = f"{verb} TABLESPACE replaces all rows"
    elif part.skip("engine"):
        part.skip("=")
        if part.peek(*_ROWLESS):
            found.rewritten[table] = f"ENGINE = {part.text(1)} keeps no rows"


def _defined(part: _Words, table: Name, found: Statement) -> None:
    """A column that ADD or MODIFY names; of several in brackets the first, which is enough to know of the statement."""
    column = part.skip("column")
    part.if_exists()
    if not column and part.peek("index", "key", "constraint", "primary", "unique", "fulltext", "spatial", "partition"):
        return
    part.skip("(")
    if (word := part.next()) is not None:
        found.remade.setdefault(table, set()).add(word.text)


class _Words:
    """Words of a statement, read from left to right."""

    def __init__(self, words: list[_Word], schema: str) -> None:
        self._words, self._schema, self._at = words, schema, 0

    def peek(self, *words: str, at: int = 0) -> bool:
        place = self._at + at
        return place < len(self._words) and self._words[place].is_(*words)

    def skip(self, *words: str) -> bool:
        """Whether one of these comes next; it is read then."""
        if not self.peek(*words):
            return False
        self._at += 1
        return True

    def next(self) -> _Word | None:
        if self._at >= len(self._words):
            return None
        self._at += 1
        return self._words[self._at - 1]

    def name(self) -> Name | None:
        """Of a table: ``t`` or ``s.t``."""
        first = self.next()
        if first is None:
            return None
        if self.skip("."):
            second = self.next()
            return None if second is None else (first.text, second.text)
        return self._schema, first.text

    def if_exists(self) -> None:
        if self.peek("if"):
            self._at += 3 if self.peek("not", at=1) else 2

    def waiting(self) -> None:
        """MariaDB's WAIT n and NOWAIT."""
        if self.skip("wait"):
            self.next()
        self.skip("nowait")

    def after(self, word: str) -> Name | None:
        """The table named after this word."""
        return self.name() if self.after_word(word) else None

    def after_word(self, *words: str) -> bool:
        while self._at < len(self._words):
            if self.skip(*words):
                return True
            self._at += 1
        return False

    def text(self, words: int) -> str:
        return " ".join(word.text.upper() for word in self._words[self._at : self._at + words])

    def parts(self) -> Iterator[_Words]:
        """What is left, cut at the commas outside of brackets."""
        depth, part = 0, list[_Word]()
        for word in self._words[self._at :]:
            depth += word.is_("(") - word.is_(")")
            if word.is_(",") and depth == 0:
                yield _Words(part, self._schema)
                part = []
            else:
                part.append(word)
        yield _Words(part, self._schema)


def _words(ddl: str) -> Iterator[_Word]:
    for match in _TOKEN.finditer(ddl):
        if match["text"] is not None:
            yield _Word(match["text"], plain=False)
        elif match["quoted"] is not None:
            yield _Word(match["quoted"].replace("``", "`"), plain=False)
        elif match["word"] is not None or match["sign"] is not None:
            yield _Word(match["word"] or match["sign"], plain=True)
