"""Whether a MariaDB can go on from where a stream stands."""

from __future__ import annotations

import pytest

from cdc.position import MariaDbGtids, Position
from cdc.source.port import SourceError
from cdc.source.purge import refuse_mariadb


@pytest.mark.parametrize(
    ("stands", "reached", "purged", "said"),
    [
        ("0-1-50", "0-1-90", "", None),
        ("0-1-50", "0-2-90,1-1-3", "0-1-50", None),  # failed over to a replica, which has all of it
        ("0-1-50", "0-1-90", "0-1-51", "has purged its binlog up to 0-1-51"),
        ("0-1-50", "0-1-90,1-1-9", "1-1-2", "has purged its binlog up to 1-1-2"),
        ("0-1-50", "0-1-7", "", "which this source never had"),
        ("0-1-50", "", "", "which this source never had"),
        ("0-1-50,1-1-3", "0-1-90", "", "which this source never had"),
    ],
)
def test_where_a_stream_stands_and_what_the_server_has(stands: str, reached: str, purged: str, said: str | None):
    gtids = MariaDbGtids.parse(stands)
    arguments = (Position(gtids), gtids, MariaDbGtids.parse(reached), MariaDbGtids.parse(purged))
    if said is None:
        refuse_mariadb(*arguments)
        return
    with pytest.raises(SourceError, match=said) as error:
        refuse_mariadb(*arguments)
    assert "copy all tables again: strangler sync resnapshot" in error.value.way_out
