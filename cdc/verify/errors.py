"""What stops a comparison, grouped by what the caller does about it."""

from __future__ import annotations


class VerifyError(Exception):
    """The tables could not be compared; the message says why and the way out."""


class NotSettled(VerifyError):
    """The stream did not apply a position in time, so that differences can't be told from rows in flight."""


class Interrupted(VerifyError):
    """It was asked to stop; what was compared is in its marks, where it keeps some."""
