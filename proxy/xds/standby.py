"""Stands in while the control plane is down: serves the last applied snapshot from its file.

    python -m proxy.xds.standby --snapshot FILE --port PORT --primary-port PORT

Envoys know it as the endpoint of second choice. While the control plane answers, it sends them away, so that they are
back with the control plane at once. It changes nothing and needs no configuration.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from proxy.xds import file
from proxy.xds.server import AdsServer

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.2


async def serve(snapshot: Path, address: tuple[str, int], primary: tuple[str, int], stop: asyncio.Event) -> None:
    """Run until ``stop``. Blocks nothing."""
    primary_up = True
    server = AdsServer(*address, admit=lambda: not primary_up)
    port = await server.start()
    log.info("standby on %s:%s for %s:%s", address[0], port, *primary)
    seen: float | None = None
    try:
        while not stop.is_set():
            up = await answers(primary)
            if up != primary_up:
                log.info("the control plane is %s", "back" if up else "down")
                primary_up = up
                if up:
                    server.close_streams()
            if not up:
                seen = await _refresh(server, snapshot, seen)
            try:
                await asyncio.wait_for(stop.wait(), WATCH_SECONDS)
            except TimeoutError:
                continue
    finally:
        await server.stop()


async def answers(address: tuple[str, int]) -> bool:
    """Whether something listens there."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(*address), 1.0)
    except OSError:  # includes the timeout
        return False
    writer.close()
    return True


async def _refresh(server: AdsServer, path: Path, seen: float | None) -> float | None:
    """Offer the file's snapshot if it is another than the one offered last; its time of change."""
    changed = path.stat().st_mtime if path.exists() else None
    if changed is not None and changed != seen:
        found = file.read(path)
        if found is not None:
            await server.offer(found)
            log.info("serving version %s", found.version)
    return changed


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--snapshot", type=Path, required=True, help="the file the control plane writes")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="where Envoys find the standby")
    parser.add_argument("--primary-host", default="127.0.0.1")
    parser.add_argument("--primary-port", type=int, required=True, help="the control plane's xDS port")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(given.snapshot, (given.host, given.port), (given.primary_host, given.primary_port), stop)

    asyncio.run(run())


if __name__ == "__main__":
    main()
