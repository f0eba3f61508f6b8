"""A control plane as a process that can be killed: ``python -m tests.proxy.plane_process FOLDER PORT LEGACY NEW``.

Each line on its standard input is a percent for catalog; after each applied version it writes the version to
FOLDER/applied.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from proxy.flags import Edit, edit
from proxy.publish import Flipper
from proxy.settings import ProxySettings
from proxy.store import FlagStore, engine_for
from proxy.xds.server import AdsServer
from tests.proxy.rig import shop_table


async def main() -> None:
    folder, port, legacy, new = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    table = shop_table(legacy, new)
    store = FlagStore(engine_for(f"sqlite:///{folder / 'control.db'}"))
    store.create()
    ads = AdsServer("127.0.0.1", port, snapshot_file=folder / "snapshot")
    await ads.start()
    flipper = Flipper(store, ads, table, ProxySettings())
    applied = await flipper.start()
    while True:
        (folder / "applied").write_text(str(applied.version))
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            break
        flags = edit(flipper.flags, table, "catalog", Edit(percent=float(line)))
        applied = await flipper.flip(flags, actor="test", reason="because", action="flip")


asyncio.run(main())
