"""Two runs of one case, told alike: what differs from run to run is named by the order in which it was first seen."""

from __future__ import annotations

import json
import re
from typing import Any

from contracts.visitor import Answer

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-08:00")
#: Ids in texts: "order 17 is paid", "no longer to be had: item 3, 4".
_MENTIONED = re.compile(r"\b(item|order|return|bag) \d+(?:, \d+)*")
_CODE = re.compile(r"C-[0-9A-F]{12}")
_MAIL = re.compile(r"contract-[0-9a-f]{16}@test\.example")
_MADE_UP = ("token", "label_code", "charge_id", "gateway_refund_id")


class Story:
    """Bodies of one run, with ids, times, tokens and made-up words replaced. Ids are numbers under a key that is ``id``
    or ends in ``_id``, and numbers in lists."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    def __call__(self, answer: Answer) -> bytes:
        try:
            body = json.loads(answer.body)
        except ValueError:
            return answer.body
        return json.dumps(self._tell("", body), ensure_ascii=False, separators=(",", ":")).encode()

    def _tell(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._tell(f"{key}.id" if name == "id" else name, each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._name(key, str(each)) if type(each) is int else self._tell(key, each) for each in value]
        if type(value) is int and key.endswith(("_id", ".id")):
            return self._name(key, str(value))
        if isinstance(value, str):
            return self._name(key, value) if key in _MADE_UP else self._text(value)
        return value

    def _text(self, text: str) -> str:
        text = _MENTIONED.sub(r"\1 (id)", _TIME.sub("(time)", text))
        for pattern in (_CODE, _MAIL):
            text = pattern.sub(lambda match: self._name("text", match[0]), text)
        return text

    def _name(self, kind: str, what: str) -> str:
        count = sum(1 for known, _ in self._names if known == kind)
        return self._names.setdefault((kind, what), f"#{kind} {count + 1}")
