"""Numbers: whole, exact, floating, bits and years."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from torture.corpus.case import EVERYWHERE, Case

_BITS = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "BIGINT": 64}


def _whole() -> list[Case]:
    cases = []
    for name, bits in _BITS.items():
        low, high, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 2**bits - 1
        cases.append(Case(name, name, (str(low), str(high), "0", "-1", "NULL"), drawn=st.integers(low, high).map(str)))
        cases.append(
            Case(
                f"{name} UNSIGNED",
                f"{name} UNSIGNED",
                (str(most), str(high + 1), "0", "NULL"),
                drawn=st.integers(0, most).map(str),
            )
        )
    return cases


def _decimal(digits: int, scale: int) -> st.SearchStrategy[str]:
    most = 10**digits - 1
    return st.integers(-most, most).map(lambda number: f"{Decimal(number).scaleb(-scale):f}")


def _single(value: float) -> str:
    return f"{value!r}" if "e" in repr(value) else f"{value!r}e0"


_FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False).map(_single)
_DOUBLES = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False).map(_single)

NUMBERS: tuple[Case, ...] = (
    *_whole(),
    Case("TINYINT(1)", "TINYINT(1)", ("0", "1", "-128", "127", "NULL")),
    Case("BOOLEAN", "BOOLEAN NOT NULL DEFAULT TRUE", ("TRUE", "FALSE", "2")),
    Case("SMALLINT ZEROFILL", "SMALLINT(4) UNSIGNED ZEROFILL", ("65535", "7", "NULL")),
    Case("BIGINT ZEROFILL", "BIGINT(20) UNSIGNED ZEROFILL", ("18446744073709551615", "7", "NULL")),
    Case(
        "DECIMAL(65,30)",
        "DECIMAL(65,30)",
        (
            "99999999999999999999999999999999999.999999999999999999999999999999",
            "-99999999999999999999999999999999999.999999999999999999999999999999",
            "0.000000000000000000000000000001",
            "-0.000001",
            "NULL",
        ),
        drawn=_decimal(64, 30),
    ),
    Case("DECIMAL(65,0)", "DECIMAL(65)", ("9" * 65, "-" + "9" * 65, "0", "NULL")),
    Case("DECIMAL(20,4)", "DECIMAL(20,4)", ("1.1", "-0.0001", "0"), drawn=_decimal(20, 4)),
    Case("DECIMAL UNSIGNED", "DECIMAL(10,2) UNSIGNED", ("99999999.99", "0.01", "NULL")),
    Case("DECIMAL ZEROFILL", "DECIMAL(10,2) UNSIGNED ZEROFILL", ("1.5", "99999999.99", "NULL")),
    Case(
        "FLOAT",
        "FLOAT",
        ("1.1", "-3.402823466e38", "3.402823466e38", "16777217", "1.175494351e-38", "0", "-0e0", "NULL"),
        drawn=_FLOATS,
    ),
    Case("FLOAT(7,3)", "FLOAT(7,3)", ("9999.999", "-0.001", "1.5", "NULL")),
    Case("FLOAT UNSIGNED", "FLOAT UNSIGNED", ("0.1", "16777216", "NULL")),
    Case(
        "DOUBLE",
        "DOUBLE",
        (
            "1.1",
            "1.7976931348623157e308",
            "-1.7976931348623157e308",
            "2.2250738585072014e-308",
            "123456789.123456789",
            "9007199254740993e0",
            "0.1e0 + 0.2e0",
            "-0e0",
            "NULL",
        ),
        drawn=_DOUBLES,
    ),
    Case("DOUBLE(12,4)", "DOUBLE(12,4)", ("12345678.1234", "-0.0001", "NULL")),
    Case("BIT(1)", "BIT(1)", ("b'1'", "b'0'", "NULL")),
    Case("BIT(8)", "BIT(8)", ("b'11111111'", "b'10000001'", "b'0'", "NULL")),
    Case("BIT(13)", "BIT(13)", ("b'1000000000001'", "b'1'", "b'0'", "NULL")),
    Case(
        "BIT(64)", "BIT(64)", (f"b'{'1' * 64}'", "b'1'", "b'0'"), drawn=st.integers(0, 2**64 - 1).map(lambda n: f"{n}")
    ),
    Case("YEAR", "YEAR", ("1901", "2155", "0000", "1970", "NULL"), drawn=st.integers(1901, 2155).map(str)),
)

NUMBER_KEYS: tuple[Case, ...] = (
    Case(
        "BIGINT UNSIGNED, key", "BIGINT UNSIGNED", ("0", "9223372036854775808", "18446744073709551615", "7"), key=True
    ),
    Case("BIGINT, key", "BIGINT", ("-9223372036854775808", "-1", "0", "9223372036854775807"), key=True),
    Case("DECIMAL(65,30), key", "DECIMAL(65,30)", ("0.1", "-0.000000000000000000000000000001", "1e34", "0"), key=True),
    Case("BIT(13), key", "BIT(13)", ("0", "1", "4096", "8191"), key=True),
    Case("BIT(1), key", "BIT(1)", ("0", "1"), key=True),
    Case("YEAR, key", "YEAR", ("0000", "1901", "1970", "2155"), key=True),
    Case("BOOLEAN, key", "BOOLEAN", ("0", "1", "2", "-5"), key=True),
    Case("FLOAT, key", "FLOAT", ("1.5", "2.5"), key=True, refused=EVERYWHERE),
    Case("DOUBLE, key", "DOUBLE", ("1.5", "2.5"), key=True, refused=EVERYWHERE),
)
