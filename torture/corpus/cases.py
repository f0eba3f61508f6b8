"""All cases in the order of the table."""

from __future__ import annotations

from torture.corpus.case import Case
from torture.corpus.moments import MOMENT_KEYS, MOMENTS
from torture.corpus.numbers import NUMBER_KEYS, NUMBERS
from torture.corpus.octets import ADDRESSES, DOCUMENTS, OCTET_KEYS, OCTETS, OTHERS, PLACES
from torture.corpus.texts import TEXT_KEYS, TEXTS, charset_cases

ALL: tuple[Case, ...] = (
    *(*NUMBERS, *NUMBER_KEYS, *MOMENTS, *MOMENT_KEYS),
    *(*TEXTS, *charset_cases(), *TEXT_KEYS),
    *(*OCTETS, *OCTET_KEYS, *DOCUMENTS, *PLACES, *ADDRESSES, *OTHERS),
)
