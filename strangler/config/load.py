"""Reading strangler.toml: text -> shape -> meaning, every problem with its line."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from strangler.config.check import problems
from strangler.config.model import Config
from strangler.config.positions import Key, Positions
from strangler.config.problem import CLOSE, ConfigError, Problem, nearest

NAME = "strangler.toml"


def find(start: Path | None = None) -> Path:
    """The file in effect: ``$STRANGLER_CONFIG``, or strangler.toml in this folder or the nearest one above.

    Raises ConfigError when there is none.
    """
    if chosen := os.environ.get("STRANGLER_CONFIG"):
        return Path(chosen).absolute()
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / NAME).is_file():
            return folder / NAME
    message = f"there is no {NAME} in this folder or any above it"
    raise ConfigError(
        [Problem(NAME, None, "", message, "go to the project's folder, or set STRANGLER_CONFIG to the file")]
    )


def load(path: Path | str | None = None) -> Config:
    """Read and check the file (``find()`` when None). Raises ConfigError with everything that is wrong."""
    file = find() if path is None else Path(path).absolute()
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([Problem(str(file), None, "", f"can't be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(str(file), None, "", f"is not UTF-8: {error}")]) from error
    return load_text(text, file)


def load_text(text: str, path: Path) -> Config:
    """As ``load``, for a text that stands (or would stand) in ``path``."""
    name = _shown(path)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax(error, text, name)]) from error
    positions = Positions.of(text)
    try:
        config = Config.model_validate({**raw, "path": path})
    except ValidationError as error:
        raise ConfigError([_shape(e, positions, name) for e in _meant(error.errors())]) from error
    if found := [Problem(name, positions.line(f.key), _dotted(f.key), f.message, f.fix) for f in problems(config)]:
        raise ConfigError(found)
    return config


def _shown(path: Path) -> str:
    """Relative to where the person stands, if below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _syntax(error: tomllib.TOMLDecodeError, text: str, name: str) -> Problem:
    message = str(error)
    at = re.search(r" \(at line (\d+), column (\d+)\)", message)
    line = int(at[1]) if at else text.count("\n") + 1
    said = message[: at.start()] if at else message.replace(" (at end of document)", " at the end of the file")
    shown = text.splitlines()[line - 1].strip() if at and line <= len(text.splitlines()) else ""
    return Problem(name, line, "", f"not TOML: {said}" + (f": {shown}" if shown else ""))


def _dotted(key: Key) -> str:
    out = ""
    for part in key:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out


def _meant(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without the missing keys that are there, misspelt: one mistake is told once."""
    unknown = {e["loc"] for e in errors if e["type"] == "extra_forbidden"}

    def misspelt(missing: Key) -> bool:
        beside = [str(key[-1]) for key in unknown if key[:-1] == missing[:-1]]
        return bool(difflib.get_close_matches(str(missing[-1]), beside, n=1, cutoff=CLOSE))

    return [e for e in errors if not (e["type"] == "missing" and misspelt(e["loc"]))]


def _shape(error: ErrorDetails, positions: Positions, name: str) -> Problem:
    key = tuple(error["loc"])
    if key and key[-1] == "[key]":  # a name of a table, refused by its pattern
        key = key[:-1]
    message, fix = _say(error, key)
    return Problem(name, positions.line(key), _dotted(key), message, fix)


_WORDS = {
    "string_type": "must be a text in quotes",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "tuple_type": "must be a list: [...]",
    "mapping_type": "must be a table",
    "model_type": "must be a table",
    "dict_type": "must be a table",
}


def _say(error: ErrorDetails, key: Key) -> tuple[str, str]:
    kind, context, given = error["type"], error.get("ctx", {}), error["input"]
    if kind == "extra_forbidden":
        return f"unknown key {str(key[-1])!r}", nearest(str(key[-1]), _siblings(key))
    if kind == "missing":
        return f"the key {str(key[-1])!r} is missing", ""
    if kind in _WORDS:
        return f"{_WORDS[kind]}, not {_toml(given)}", ""
    if kind in ("literal_error", "enum"):
        return f"{_toml(given)} is not one of {context['expected']}", ""
    if kind in ("less_than_equal", "greater_than_equal", "greater_than", "less_than"):
        word = {"less": "at most", "greater": "at least"}[kind.split("_")[0]] if kind.endswith("equal") else "above"
        bound = context.get("le", context.get("ge", context.get("gt", context.get("lt"))))
        return f"{_toml(given)} is out of range: it must be {word} {bound:g}", ""
    if kind in ("too_short", "string_too_short"):
        return "must not be empty", ""
    if kind == "string_pattern_mismatch":
        return f"{_toml(given)} must begin with /", ""
    if kind == "value_error":
        return f"{_toml(str(key[-1]))}: {context['error']}", ""
    return error["msg"], ""


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case dict():
            return "a table"
        case list() | tuple():
            return "a list"
    return str(value)


def _siblings(key: Key) -> set[str]:
    """The keys allowed where ``key`` stands, by walking the model along it."""
    here: Any = Config
    for part in key[:-1]:
        here = _step(here, part)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return {f.alias or n for n, f in here.model_fields.items()} - {"path"}
    return set()


def _step(here: Any, part: str | int) -> Any:
    if isinstance(here, type) and issubclass(here, BaseModel):
        fields = {f.alias or n: f.annotation for n, f in here.model_fields.items()}
        return _bare(fields.get(str(part)))
    arguments = get_args(here)
    if not arguments:
        return None
    return _bare(arguments[0] if isinstance(part, int) else arguments[-1])


def _bare(annotation: Any) -> Any:
    """Without ``| None`` and Annotated."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return _bare(next(a for a in get_args(annotation) if a is not type(None)))
    if hasattr(annotation, "__metadata__"):
        return _bare(annotation.__origin__)
    return annotation
