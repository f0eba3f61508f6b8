"""Two runs of one case, told alike: what differs from run to run is named by the order in which it was first seen."""

from __future__ import annotations

import json
import re
from typing import Any

from contracts.visitor import Answer

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-08:00")
#: A number by itself, not part of an amount or a word.
_NUMBER = re.compile(r"(?<![\w.-])\d+(?![\w-]|\.\d)")
_CODE = re.compile(r"C-[0-9A-F]{12}")
_MAIL = re.compile(r"contract-[0-9a-f]{16}@test\.example")
_MADE_UP = ("token", "label_code", "charge_id", "gateway_refund_id")


class Story:
    """Bodies of one run, with ids, times, tokens and made-up words replaced. Ids are numbers under a key that is ``id``
    or ends in ``_id``, numbers in lists, and the same numbers wherever a text mentions them."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def __call__(self, answer: Answer) -> bytes:
        try:
            body = json.loads(answer.body)
        except ValueError:
            return answer.body
        return json.dumps(self._tell("", body), ensure_ascii=False, separators=(",", ":")).encode()

    def _tell(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._tell(name, each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._name(str(each)) if type(each) is int else self._tell(key, each) for each in value]
        if type(value) is int and (key == "id" or key.endswith("_id")):
            return self._name(str(value))
        if isinstance(value, str):
            return self._name(value) if key in _MADE_UP else self._text(value)
        return value

    def _text(self, text: str) -> str:
        text = _TIME.sub("(time)", text)
        for pattern in (_CODE, _MAIL):
            text = pattern.sub(lambda match: self._name(match[0]), text)
        return _NUMBER.sub(lambda match: self._names.get(match[0], match[0]), text)

    def _name(self, what: str) -> str:
        return self._names.setdefault(what, f"#{len(self._names) + 1}")
