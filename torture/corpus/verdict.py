"""What became of a case over a pair of servers."""

from __future__ import annotations

from dataclasses import dataclass

from torture.corpus.case import EQUAL, NO_TYPE, REFUSED, Case, Pair


@dataclass(frozen=True)
class Verdict:
    """``copy``, ``stream``, ``verifier``: ``equal``, ``refused``, ``no such type``, or what is wrong. ``said`` is the
    refusal's sentence. ``rows`` were compared at the end."""

    case: Case
    pair: Pair
    copy: str
    stream: str
    verifier: str
    rows: int = 0
    said: str = ""

    @property
    def result(self) -> str:
        """One word for all three; ``FAULT`` when there is a third way."""
        seen = {self.copy, self.stream, self.verifier}
        return seen.pop() if len(seen) == 1 and seen <= {EQUAL, REFUSED, NO_TYPE} else "FAULT"

    @property
    def expected(self) -> bool:
        return self.result == self.case.expected(self.pair)

    @classmethod
    def of_all(cls, case: Case, pair: Pair, word: str, said: str = "") -> Verdict:
        return cls(case, pair, word, word, word, 0, said)
