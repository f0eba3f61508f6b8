"""Dates and times, at both ends, before 1970, and those that are no dates at all."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hypothesis import strategies as st

from torture.corpus.case import EVERYWHERE, Case

_EPOCH = datetime(1970, 1, 1)


def _quoted(value: object) -> str:
    return f"'{value}'"


def _datetimes(digits: int) -> st.SearchStrategy[str]:
    unit = 10 ** (6 - digits)
    return st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59)).map(
        lambda d: _quoted(d.replace(microsecond=d.microsecond // unit * unit).isoformat(" "))
    )


def _timestamps(digits: int) -> st.SearchStrategy[str]:
    unit = 10 ** (6 - digits)
    return st.integers(1, 2**31 - 1).flatmap(
        lambda s: st.integers(0, 999_999).map(
            lambda m: _quoted((_EPOCH + timedelta(seconds=s, microseconds=m // unit * unit)).isoformat(" "))
        )
    )


def _time(micros: int) -> str:
    seconds, fraction = divmod(abs(micros), 1_000_000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}"
    return _quoted(("-" if micros < 0 else "") + text)


_LONGEST = (838 * 3600 + 59 * 60 + 59) * 1_000_000
_TIMES = st.integers(-_LONGEST, _LONGEST)
_ZEROS = ("'0000-00-00'", "'2024-00-00'", "'2024-05-00'", "'2024-02-29'", "'1970-01-01'")

MOMENTS: tuple[Case, ...] = (
    Case(
        "DATE",
        "DATE",
        ("'1000-01-01'", "'9999-12-31'", "'1969-12-31'", "'1582-10-10'", "'2024-02-29'", "NULL"),
        drawn=st.dates(date(1000, 1, 1), date(9999, 12, 31)).map(_quoted),
    ),
    *(
        Case(
            f"DATETIME({n})" if n else "DATETIME",
            f"DATETIME({n})" if n else "DATETIME",
            (
                "'1000-01-01 00:00:00'",
                f"'9999-12-31 23:59:59{('.' + '9' * n) if n else ''}'",
                f"'1969-12-31 23:59:59{('.' + '9' * n) if n else ''}'",
                "'1582-10-10 12:00:00'",
                "'2024-03-31 02:30:00'",
                "NULL",
            ),
            drawn=_datetimes(n),
        )
        for n in range(7)
    ),
    *(
        Case(
            f"TIMESTAMP({n})" if n else "TIMESTAMP",
            f"TIMESTAMP({n}) NULL" if n else "TIMESTAMP NULL",
            ("'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-10-27 01:30:00.123456'", "NULL"),
            drawn=_timestamps(n),
        )
        for n in range(7)
    ),
    *(
        Case(
            f"TIME({n})" if n else "TIME",
            f"TIME({n})" if n else "TIME",
            ("'-838:59:59'", "'838:59:59'", "'24:00:00'", f"'-00:00:00.{'0' * (n - 1)}1'" if n else "'-00:00:01'", "0"),
            drawn=_TIMES.map(
                lambda micros, n=n: _time(
                    micros // 10 ** (6 - n) * 10 ** (6 - n)
                    if micros > 0
                    else -(-micros // 10 ** (6 - n) * 10 ** (6 - n))
                )
            ),
        )
        for n in range(7)
    ),
    Case("zero DATE", "DATE", (*_ZEROS, "NULL"), lax=True),
    Case("zero DATE NOT NULL", "DATE NOT NULL", _ZEROS, lax=True),
    Case(
        "zero DATETIME",
        "DATETIME",
        ("'0000-00-00 00:00:00'", "'2024-05-00 01:02:03'", "'1970-01-01'", "NULL"),
        lax=True,
    ),
    Case(
        "zero DATETIME(6) NOT NULL",
        "DATETIME(6) NOT NULL",
        ("0", "'2024-05-00 01:02:03.123456'", "'1970-01-01'"),
        lax=True,
    ),
    Case("zero TIMESTAMP", "TIMESTAMP NULL", ("0", "'1970-01-01 00:00:01'", "NULL"), lax=True),
    Case(
        "zero TIMESTAMP NOT NULL",
        "TIMESTAMP NOT NULL DEFAULT '2000-01-01'",
        ("0", "'1970-01-01 00:00:01'"),
        lax=True,
    ),
    Case(
        "TIMESTAMP ON UPDATE",
        "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
        ("'2001-01-01'", "DEFAULT"),
        then=("UPDATE {t} SET n = n + 1",),
    ),
)

MOMENT_KEYS: tuple[Case, ...] = (
    Case("DATE, key", "DATE", ("'1000-01-01'", "'1969-12-31'", "'1970-01-01'", "'9999-12-31'"), key=True),
    Case(
        "DATETIME(6), key",
        "DATETIME(6)",
        ("'1000-01-01'", "'1969-12-31 23:59:59.999999'", "'2024-01-01 00:00:00.1'"),
        key=True,
    ),
    Case(
        "TIMESTAMP(3), key",
        "TIMESTAMP(3)",
        ("'1970-01-01 00:00:01'", "'2024-01-01 00:00:00.5'", "'2038-01-19 03:14:07'"),
        key=True,
    ),
    Case("TIME(6), key", "TIME(6)", ("'-838:59:59'", "'-00:00:00.000001'", "0", "'100:00:00'"), key=True),
    Case(
        "zero DATE, key",
        "DATE",
        ("'0000-00-00'", "'1970-01-01'"),
        key=True,
        lax=True,
        refused=EVERYWHERE,
    ),
)
