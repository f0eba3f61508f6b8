"""Data of any size, the same for the same seed: ``python -m legacy_monolith.seed --items N [--seed S]``.

Every row is a function of the seed and of the row's place, never of the clock, so two runs make equal tables.
"""
