"""Text in every character set, and as a key by collations that call different letters the same."""

from __future__ import annotations

from hypothesis import strategies as st

from torture.corpus.case import EVERYWHERE, MARIADB, MYSQL, Case, Pair, text

_LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

TEXTS: tuple[Case, ...] = (
    Case(
        "CHAR(5)",
        "CHAR(5)",
        ("'ab'", "''", "'üñ😀'", "' ab'", "NULL"),
        drawn=st.text(st.characters(exclude_categories=["Cs"]), max_size=5).map(text),
    ),
    Case(
        "VARCHAR(60)",
        "VARCHAR(60)",
        ("'tab\\t nl\\n back\\\\ nul\\0 quote\\' cr\\r'", "'\\\\N'", "'N'", "'  blanks  '", "'NULL'", "''", "NULL"),
        drawn=_LETTERS.map(text),
    ),
    Case("VARCHAR(16000)", "VARCHAR(16000)", ("REPEAT('ü', 16000)", "''", "NULL")),
    Case("TINYTEXT", "TINYTEXT", ("REPEAT('x', 255)", "''", "NULL")),
    Case("TEXT", "TEXT", ("REPEAT('lorem ipsum ', 5000)", "' '", "NULL")),
    Case("MEDIUMTEXT", "MEDIUMTEXT", ("REPEAT('x\\n', 300000)", "'null'", "NULL")),
    Case("LONGTEXT", "LONGTEXT", ("REPEAT('😀', 500000)", "NULL")),
    Case("NATIONAL VARCHAR", "NATIONAL VARCHAR(20)", ("'äöü'", "NULL")),
    Case("ENUM", "ENUM('a','b''c','y,x','')", ("'a'", "'b\\'c'", "'y,x'", "''", "NULL")),
    Case("ENUM of other letters", "ENUM('grün','日本','ß')", ("'grün'", "'日本'", "'ß'", "NULL")),
    Case("ENUM latin1", "ENUM('grün','öl') CHARACTER SET latin1", ("'grün'", "'öl'", "NULL")),
    Case("ENUM with backslashes", "ENUM('a\\\\b','c\\\\','d\\'')", ("1", "2", "3", "NULL")),
    Case("SET", "SET('x','y','z w')", ("''", "'x'", "'x,y,z w'", "NULL"), drawn=st.integers(0, 7).map(str)),
    Case(
        "SET of 64",
        "SET(" + ",".join(f"'m{n}'" for n in range(64)) + ")",
        ("18446744073709551615", "9223372036854775808", "1", "0"),
    ),
    Case("SET of other letters", "SET('rot','grün','ß')", ("'rot,grün'", "'ß'", "7", "NULL")),
)

_SAMPLES = {
    "Latin": "aäöüßÄéñ€ \\ ' \t",
    "Greek": "αβγΩ",
    "Cyrillic": "привет Щ",
    "Hebrew": "שלום",
    "Arabic": "",
    "Thai": "สวัสดี",
    "Japanese": "日本語カナ",
    "Chinese": "中文",
    "Korean": "한국어",
    "Turkish": "ışğ",
    "Polish": "łąęż",
}
_CHARSETS: dict[str, tuple[str, ...]] = {
    "armscii8": ("Latin0",),
    "ascii": ("Latin0",),
    "big5": ("Chinese",),
    "cp1250": ("Polish",),
    "cp1251": ("Cyrillic",),
    "cp1256": ("Latin0",),
    "cp1257": ("Latin0",),
    "cp850": ("Latin2",),
    "cp852": ("Polish",),
    "cp866": ("Cyrillic",),
    "cp932": ("Japanese",),
    "dec8": ("Latin2",),
    "eucjpms": ("Japanese",),
    "euckr": ("Korean",),
    "gb18030": ("Chinese",),
    "gb2312": ("Chinese",),
    "gbk": ("Chinese",),
    "geostd8": ("Latin0",),
    "greek": ("Greek",),
    "hebrew": ("Hebrew",),
    "hp8": ("Latin2",),
    "keybcs2": ("Latin0",),
    "koi8r": ("Cyrillic",),
    "koi8u": ("Cyrillic",),
    "latin1": ("Latin",),
    "latin2": ("Polish",),
    "latin5": ("Turkish",),
    "latin7": ("Latin0",),
    "macce": ("Latin2",),
    "macroman": ("Latin2",),
    "sjis": ("Japanese",),
    "swe7": ("Latin3",),
    "tis620": ("Thai",),
    "ucs2": ("Japanese", "Latin"),
    "ujis": ("Japanese",),
    "utf16": ("Japanese", "Latin"),
    "utf16le": ("Japanese", "Latin"),
    "utf32": ("Japanese", "Latin"),
    "utf8": ("Japanese", "Latin"),
}
_SAMPLES |= {"Latin0": "plain words", "Latin2": "aäöüé", "Latin3": "ae"}
# every byte that a set of single bytes has a letter for
_BYTES = (
    "latin1",
    "cp1251",
    "cp850",
    "koi8r",
    "latin2",
    "latin5",
    "latin7",
    "greek",
    "hebrew",
    "cp1250",
    "cp1256",
    "cp1257",
    "cp852",
    "cp866",
    "koi8u",
    "tis620",
    "macce",
    "macroman",
    "armscii8",
    "dec8",
    "geostd8",
    "hp8",
    "keybcs2",
    "swe7",
)


# The engine ends at the first three; MariaDB does not know the last.
_REFUSED: dict[str, frozenset[Pair]] = {
    **dict.fromkeys(("cp1256", "macce", "macroman"), EVERYWHERE),
    "gb18030": frozenset({("mysql", "mariadb")}),
}


def charset_cases() -> tuple[Case, ...]:
    """One of each character set that a server may have."""
    cases = []
    for charset, samples in _CHARSETS.items():
        values = [text(_SAMPLES[sample]) for sample in samples]
        if charset in _BYTES:
            values += [
                f"CONVERT(_binary x'{bytes(range(start, start + 32)).hex()}' USING {charset})"
                for start in range(32, 256, 32)
            ]
        on = MYSQL if charset == "gb18030" else frozenset({"mysql", "mariadb"})
        target = {"mariadb": "VARCHAR(60) CHARACTER SET utf8mb4"} if charset == "gb18030" else {}
        cases.append(
            Case(
                f"VARCHAR {charset}",
                f"VARCHAR(60) CHARACTER SET {charset}",
                (*values, "''", "NULL"),
                on=on,
                target=target,
                refused=_REFUSED.get(charset, frozenset()),
            )
        )
    cases.append(
        Case(
            "UTF-8 stored in latin1",
            "VARCHAR(60) CHARACTER SET latin1",
            tuple(f"CONVERT(_binary x'{word.encode().hex()}' USING latin1)" for word in ("grün", "日本語", "😀")),
        )
    )
    return tuple(cases)


def key_case(
    collation: str,
    charset: str,
    values: tuple[str, ...],
    on: frozenset = frozenset({"mysql", "mariadb"}),
    **more: object,
) -> Case:  # type: ignore[type-arg]
    return Case(
        f"VARCHAR {collation}, key",
        f"VARCHAR(30) CHARACTER SET {charset} COLLATE {collation}",
        values,
        key=True,
        on=on,
        then=(
            "UPDATE {t} SET c = UPPER(c), n = 500 WHERE c = 'a'",
            "DELETE FROM {t} WHERE c = 'b'; INSERT INTO {t} (c, n) VALUES ('B', 501)",
            "UPDATE {t} SET c = CONCAT(c, 'x') WHERE c = 'c'; UPDATE {t} SET c = 'C' WHERE c = 'cx'",
            "DELETE FROM {t} WHERE c = 'D'",
            "INSERT INTO {t} (c, n) VALUES ('fresh', 502); DELETE FROM {t} WHERE c = 'FRESH';"
            " INSERT INTO {t} (c, n) VALUES ('FrEsh', 503)",
        ),
        **more,  # type: ignore[arg-type]
    )


_PLAIN = ("'a'", "'b'", "'c'", "'d'", "'zz'", "''", "'e  '")
_WIDE = (*_PLAIN, text("straße"), text("ö"), text("日本"), "'a-b'", "'a_b'")

TEXT_KEYS: tuple[Case, ...] = (
    key_case("utf8mb4_general_ci", "utf8mb4", _WIDE),
    key_case("utf8mb4_unicode_ci", "utf8mb4", _WIDE),
    key_case("utf8mb4_unicode_520_ci", "utf8mb4", _WIDE),
    key_case("utf8mb4_bin", "utf8mb4", (*_WIDE, "'ZZ'", "'E'")),
    key_case("utf8mb4_0900_ai_ci", "utf8mb4", (*_WIDE, "'zz '", "'y '"), MYSQL),
    key_case("utf8mb4_0900_as_cs", "utf8mb4", (*_WIDE, "'ZZ'", "'zz '"), MYSQL),
    key_case("utf8mb4_swedish_ci", "utf8mb4", _WIDE),
    key_case("utf8mb4_turkish_ci", "utf8mb4", (*_PLAIN, "'i'", "'I'")),
    key_case("utf8mb4_uca1400_ai_ci", "utf8mb4", _WIDE, MARIADB),
    key_case("utf8mb4_nopad_bin", "utf8mb4", (*_WIDE, "'zz '", "'ZZ'"), MARIADB),
    key_case("utf8mb4_general_nopad_ci", "utf8mb4", (*_WIDE, "'zz '"), MARIADB),
    key_case("latin1_swedish_ci", "latin1", (*_PLAIN, text("ö"))),
    key_case("latin1_german2_ci", "latin1", (*_PLAIN, text("straße"))),
    key_case("latin1_general_cs", "latin1", (*_PLAIN, "'ZZ'", text("ö"))),
    key_case("latin1_bin", "latin1", (*_PLAIN, "'ZZ'")),
    key_case("cp1251_general_ci", "cp1251", (*_PLAIN, text("привет"))),
    key_case("sjis_japanese_ci", "sjis", (*_PLAIN, text("日本")), refused=EVERYWHERE),
    key_case("gbk_chinese_ci", "gbk", (*_PLAIN, text("中文")), refused=EVERYWHERE),
    key_case("utf16_general_ci", "utf16", _WIDE),
    key_case("ascii_general_ci", "ascii", _PLAIN),
    Case(
        "CHAR(10), key",
        "CHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        ("'a'", "'B '", "''"),
        key=True,
        then=("UPDATE {t} SET c = 'A' WHERE c = 'a'",),
    ),
    Case("CHAR(10) binary, key", "CHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", ("'a'", "'A'", "'b'"), key=True),
    Case("TEXT by prefix, key", "TEXT", ("'a'",), key=True, refused=EVERYWHERE, extra="PREFIX"),
    Case("ENUM, key", "ENUM('z','a','m,n','10')", ("'z'", "'a'", "'m,n'", "'10'"), key=True),
    Case("ENUM of other letters, key", "ENUM('zü','ä','ß')", ("'zü'", "'ä'", "'ß'"), key=True),
    Case("SET, key", "SET('z','a','m')", ("'z'", "'a'", "'z,m'", "''"), key=True),
)
