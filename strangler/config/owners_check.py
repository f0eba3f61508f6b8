"""What is wrong with who owns which part of a table, as far as the file alone can say. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cdc.mapping import TableMapping
from cdc.mention import mentioned
from strangler.config.model import Config
from strangler.config.positions import Key
from strangler.config.problem import nearest

Wrong = tuple[Key, str, str]


def wrong_owners(config: Config) -> Iterator[Wrong]:
    """Key, what is wrong with it, what to do."""
    for name, capability in config.capabilities.items():
        for one in capability.mapping(name).tables:
            yield from _table(("capability", name, "tables", one.table), one)
    yield from _shared(config)


def _table(key: Key, one: TableMapping) -> Iterator[Wrong]:
    said = [word for word, is_so in (("owns", one.owns), ("reference", one.reference), ("append", one.append)) if is_so]
    if len(said) > 1:
        yield (*key, said[1]), f"{' and '.join(said)} contradict each other", "a table is one of these, or moves whole"
        return
    if one.reference:
        if one.back:
            yield (*key, "back"), "a table to read has no way back: legacy stays its owner", "leave back out"
        return
    if one.append:
        yield from _append(key, one)
    if one.owns:
        yield from _group(key, one)
    if one.back and not one.source_key:
        fix = f'give the columns of {one.source} that key is made of, as in id = "legacy_id"'
        yield (*key, "back"), "back does not say which legacy row it is", fix


def _append(key: Key, one: TableMapping) -> Iterator[Wrong]:
    if not one.back:
        message = f"a table to append from needs back: what becomes of its rows in {one.source}"
        yield (*key, "append"), message, "give back, with the columns that key is made of"
    for part, given in (("columns", one.columns), ("where", one.where)):
        if given:
            yield (*key, part), f"{part} is of no use: nothing comes from {one.source} to {one.table}", "leave it out"


def _group(key: Key, one: TableMapping) -> Iterator[Wrong]:
    lowered = {name.lower() for name in one.owns}
    given = {name.lower() for name in one.back}
    for index, name in enumerate(one.owns):
        here = (*key, "owns", index)
        if name.lower() in {other.lower() for other in one.owns[:index]}:
            yield here, f"{name!r} is there twice", "keep one"
        elif name.lower() in {column.lower() for column in mentioned(one.key.values(), one.owns)}:
            yield (
                here,
                f"{name!r} is part of the key: which row it is belongs to the rest of {one.source}",
                "leave it out",
            )
        elif name.lower() not in given:
            fix = nearest(name, [column for column in one.back if column not in one.source_key])
            yield here, f"back does not give {name!r}, so a change of it could not come back", fix or "give it in back"
        elif not mentioned(one.columns.values(), [name]):
            yield here, f"no column of {one.table} is made of {name!r}", "map it in columns, or leave it out of owns"
    for name in one.back:
        if name.lower() not in lowered and name not in one.source_key:
            yield (
                (*key, "back", name),
                f"{name!r} does not belong to the table: owns does not name it",
                (nearest(name, one.owns) + ", or leave it out of back"),
            )


def _shared(config: Config) -> Iterator[Wrong]:
    """Columns of one legacy table that two would own."""
    seen: dict[str, list[tuple[str, TableMapping]]] = {}
    for name, capability in config.capabilities.items():
        for one in capability.mapping(name).tables:
            if not one.owned or not one.back:
                continue
            for other_name, other in seen.get(one.source.lower(), []):
                yield from _both(name, one, other_name, other)
            seen.setdefault(one.source.lower(), []).append((name, one))


def _both(name: str, one: TableMapping, other_name: str, other: TableMapping) -> Iterator[Wrong]:
    key: Key = ("capability", name, "tables", one.table)
    there = f"{other_name}.{other.table}"
    if one.owns and other.owns:
        own = {column.lower() for column in other.owns}
        for index, column in enumerate(one.owns):
            if column.lower() in own:
                yield (*key, "owns", index), f"{one.source}.{column} is owned by {there} too", "one owner for a column"
        return
    if name == other_name and (one.owns or other.owns):
        group, whole = (one, other) if one.owns else (other, one)
        twice = [column for column in group.owns if column.lower() in {name.lower() for name in whole.back}]
        if twice:
            yield (
                (*key, "back"),
                f"{one.source}.{twice[0]} comes back from {one.table} and from {other.table}",
                (f"leave it out of {whole.table}.back"),
            )
        return
    whole_there = "as a whole" if not other.owns else f"in part ({', '.join(other.owns)})"
    fix = "say owns = [...] in both, a column in one of them; or reference = true"
    yield key, f"{one.source} moves with {there} {whole_there}, and here {'in part' if one.owns else 'as a whole'}", fix
