"""Bytes, documents, places, and types that one of the servers alone has."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from torture.corpus.case import EVERYWHERE, MARIADB, MYSQL, Case, octets, text

_BYTES = st.binary(max_size=20)

OCTETS: tuple[Case, ...] = (
    Case(
        "BINARY(4)",
        "BINARY(4)",
        ("x'00'", "x'41000000'", "x'FFFE'", "x''", "NULL"),
        drawn=st.binary(max_size=4).map(octets),
    ),
    Case("VARBINARY(20)", "VARBINARY(20)", ("x'00FF5C0A09'", "x''", "x'20'", "NULL"), drawn=_BYTES.map(octets)),
    Case("TINYBLOB", "TINYBLOB", ("x''", "REPEAT(x'FF', 255)", "NULL")),
    Case("BLOB", "BLOB", ("REPEAT(x'00FF5C0A', 16000)", "x''", "NULL")),
    Case("MEDIUMBLOB", "MEDIUMBLOB", ("REPEAT(x'00FF5C0A', 300000)", "NULL")),
    Case("LONGBLOB", "LONGBLOB", ("REPEAT(x'00015C0A', 2500000)", "x'00'", "NULL")),
)

OCTET_KEYS: tuple[Case, ...] = (
    Case("BINARY(4), key", "BINARY(4)", ("x'00'", "x'41000000'", "x'4100FF'", "x'FFFFFFFF'", "x'61'"), key=True),
    Case("VARBINARY(20), key", "VARBINARY(20)", ("x''", "x'00'", "x'0000'", "x'41'", "x'4120'", "x'61'"), key=True),
    Case("BLOB by prefix, key", "BLOB", ("x'41'",), key=True, refused=EVERYWHERE, extra="PREFIX"),
)

_DOCUMENTS = (
    '{"a": [1, 2.5, null, true, "tab\\t"], "ü": {"b": "\\\\"}}',
    '{"z": 1, "a": 2, "m": {"y": 1, "b": 2}}',
    '{"a": 1, "A": 2, "": 3, "aa": 4}',
    "[]",
    "{}",
    "null",
    '"text"',
    "18446744073709551615",
    "-9223372036854775808",
    "12345678901234567890123",
    "1.7976931348623157e308",
    "0.1",
    "1e2",
    "1.0",
    "-0.0",
    '"😀 \\u0000 \\u001f"',
)
_JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(-1e300, 1e300, allow_subnormal=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
).map(lambda value: text(json.dumps(value, ensure_ascii=False)))

DOCUMENTS: tuple[Case, ...] = (
    Case("JSON", "JSON", (*map(text, _DOCUMENTS), "NULL"), drawn=_JSON_VALUES),
    Case(
        "JSON, parts updated",
        "JSON",
        tuple(text(json.dumps({"a": n, "b": ["x" * 200]})) for n in range(3)),
        then=(
            "UPDATE {t} SET c = JSON_SET(c, '$.a', 9)",
            "UPDATE {t} SET c = JSON_REMOVE(c, '$.b[0]') WHERE id > 1",
            "UPDATE {t} SET c = JSON_INSERT(c, '$.new', 1.5) WHERE id > 2",
        ),
    ),
    Case(
        "JSON of dates and decimals",
        "JSON",
        (
            "JSON_OBJECT('d', CAST('2024-01-01' AS DATE), 't', CAST('10:11:12.5' AS TIME(1)), 'n', 1.25, 'b', x'00ff')",
            "JSON_OBJECT('d', CAST('2024-01-01 01:02:03.4' AS DATETIME(1)),"
            " 'n', CAST('123456789.12345' AS DECIMAL(20,5)))",
            "JSON_OBJECT('b', x'00ff41')",
            "JSON_OBJECT('b', b'101', 'y', CAST('-10:11:12' AS TIME))",
            "JSON_OBJECT('p', ST_GeomFromText('POINT(1 2)'))",
            "NULL",
        ),
        on=MYSQL,
    ),
)

_PLACES = {
    "POINT": "POINT(1 2)",
    "LINESTRING": "LINESTRING(0 0,1 1)",
    "POLYGON": "POLYGON((0 0,1 0,1 1,0 0))",
    "MULTIPOINT": "MULTIPOINT((0 0),(1 1))",
    "MULTILINESTRING": "MULTILINESTRING((0 0,1 1),(2 2,3 3))",
    "MULTIPOLYGON": "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))",
    "GEOMETRYCOLLECTION": "GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))",
}
PLACES: tuple[Case, ...] = (
    Case(
        "GEOMETRY",
        "GEOMETRY",
        (*(f"ST_GeomFromText('{shape}')" for shape in _PLACES.values()), "ST_GeomFromText('POINT(1 2)', 4326)", "NULL"),
        refused=EVERYWHERE,
    ),
    *(
        Case(
            name, name, (f"ST_GeomFromText('{shape}')", f"ST_GeomFromText('{shape}', 4326)", "NULL"), refused=EVERYWHERE
        )
        for name, shape in _PLACES.items()
    ),
    Case(
        "POINT SRID",
        "POINT SRID 4326",
        ("ST_GeomFromText('POINT(10 20)', 4326)", "NULL"),
        on=MYSQL,
        target={"mariadb": "POINT REF_SYSTEM_ID=4326"},
        refused=EVERYWHERE,
    ),
)

ADDRESSES: tuple[Case, ...] = (
    Case(
        "UUID",
        "UUID",
        (
            "'123e4567-e89b-12d3-a456-426655440000'",
            "'00000000-0000-0000-0000-000000000000'",
            "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
            "NULL",
        ),
        on=MARIADB,
        drawn=st.uuids(version=4).map(lambda u: f"'{u}'"),
    ),
    Case("INET4", "INET4", ("'0.0.0.0'", "'255.255.255.255'", "'127.0.0.1'", "NULL"), on=MARIADB, refused=EVERYWHERE),
    Case(
        "INET6",
        "INET6",
        ("'::'", "'2001:db8::ff00:42:8329'", "'::ffff:192.0.2.1'", "NULL"),
        on=MARIADB,
        refused=EVERYWHERE,
        drawn=st.ip_addresses(v=6).map(lambda a: f"'{a}'"),
    ),
    Case(
        "UUID, key",
        "UUID",
        (
            "'123e4567-e89b-12d3-a456-426655440000'",
            "'00000000-0000-0000-0000-000000000000'",
            "'f2345678-0000-4000-8000-000000000001'",
            "'123e4567-e89b-12d3-b456-000000000000'",
        ),
        on=MARIADB,
        key=True,
        refused=EVERYWHERE,
    ),
    Case("INET4, key", "INET4", ("'10.0.0.1'", "'9.0.0.1'", "'200.0.0.1'"), on=MARIADB, key=True, refused=EVERYWHERE),
    Case(
        "INET6, key", "INET6", ("'::1'", "'2001:db8::1'", "'10::'", "'9::'"), on=MARIADB, key=True, refused=EVERYWHERE
    ),
    Case(
        "VARCHAR COMPRESSED",
        "VARCHAR(2000) COMPRESSED",
        ("REPEAT('a', 2000)", "'short'", "NULL"),
        on=MARIADB,
        refused=EVERYWHERE,
    ),
    Case("BLOB COMPRESSED", "BLOB COMPRESSED", ("REPEAT('a', 2000)", "NULL"), on=MARIADB, refused=EVERYWHERE),
)

OTHERS: tuple[Case, ...] = (
    Case(
        "VIRTUAL column",
        "INT AS (g * 2) VIRTUAL",
        ("1", "-5", "NULL"),
        writes="g",
        extra="g INT",
        target={"mysql": "INT", "mariadb": "INT"},
    ),
    Case(
        "STORED column",
        "VARCHAR(40) AS (CONCAT(g, 'ü')) STORED",
        ("'a'", "'b'", "NULL"),
        writes="g",
        extra="g VARCHAR(20)",
        target={"mysql": "VARCHAR(40)", "mariadb": "VARCHAR(40)"},
    ),
    Case("INVISIBLE column", "INT INVISIBLE DEFAULT 5", ("1", "DEFAULT", "NULL"), on=MARIADB),
    Case("default expression", "VARCHAR(40) DEFAULT (UUID())", ("DEFAULT", "'given'", "NULL")),
    Case("default literal", "INT DEFAULT 7", ("DEFAULT", "NULL", "8")),
    Case("default on text", "VARCHAR(10) NOT NULL DEFAULT 'x''y'", ("DEFAULT", "''")),
)
