"""Runs in an environment of its own, where reladiff is: ``python reladiff_peer.py JSON``, then a line on stdin per run.

JSON: ``sides`` (two of host, port, user, password, schema), ``table``, ``key``, ``columns``, ``threads``. Answers each
line with one of JSON: ``rows_different``, ``seconds``. Imports nothing of this repository.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

from reladiff import Algorithm, connect_to_table, diff_tables

asked: dict[str, Any] = json.loads(sys.argv[1])
logging.disable(logging.WARNING)  # that it doesn't know how to compare text between kinds of servers


def table(side: dict[str, Any]) -> Any:
    where = {
        "driver": "mysql",
        "host": side["host"],
        "port": side["port"],
        "user": side["user"],
        "password": side["password"],
        "database": side["schema"],
    }
    return connect_to_table(
        where,
        asked["table"],
        asked["key"],
        extra_columns=tuple(asked["columns"]),
        thread_count=asked["threads"],
    )


sides = [table(side) for side in asked["sides"]]
for _ in sys.stdin:
    began = time.monotonic()
    found = diff_tables(
        *sides, algorithm=Algorithm.HASHDIFF, threaded=True, max_threadpool_size=asked["threads"], bisection_factor=32
    )
    different = len(list(found))
    print(json.dumps({"rows_different": different, "seconds": time.monotonic() - began}), flush=True)
