"""``python -m strangler.control``: the control plane as a process."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import structlog
import uvicorn
from filelock import FileLock, Timeout

from proxy.xds.server import Refused
from strangler.config import Config, ConfigError, ControlPorts, NotRunning, Ports, load
from strangler.config.ports import PortsError
from strangler.control import logs
from strangler.control.api.app import build
from strangler.control.bootstrap import compose
from strangler.control.secret import SecretError
from strangler.control.tables import SchemaTooNew
from strangler.exits import Exit

log = structlog.get_logger()


def main() -> int:
    logs.configure()
    try:
        config = load()
        config.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        # two control planes on one state would each tell proxies something else
        with FileLock(config.state / "control.lock", timeout=0):
            asyncio.run(serve(config))
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return Exit.USAGE
    except Timeout:
        print(f"error: another control plane runs on {config.state}: strangler ps", file=sys.stderr)
        return Exit.FAILED
    except Refused as error:
        print(f"error: no stored version of the flags can be applied: {error}", file=sys.stderr)
        return Exit.FAILED
    except (NotRunning, PortsError, SecretError, SchemaTooNew, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return Exit.FAILED
    return Exit.DONE


async def serve(config: Config) -> None:
    """Until SIGTERM or SIGINT."""
    ports = Ports.read(config.run)
    host, _, asked = config.control.listen.rpartition(":")
    host = host.strip("[]")
    with closing(_listen(host, ports.control.api if ports.control else int(asked))) as sock:
        control = await asyncio.to_thread(compose, config, xds=(host, ports.control.xds if ports.control else 0))
        xds = await control.start()
        api = sock.getsockname()[1]
        if ports.control != (mine := ControlPorts(api=api, xds=xds)):
            Ports.read(config.run).with_(control=mine).write(config.run)
        loops = [
            asyncio.create_task(control.watch.run(), name="watch"),
            asyncio.create_task(control.continuous.run(), name="continuous"),
        ]
        log.info("control.ready", api=api, xds=xds, version=control.flagging.flags.version)
        try:
            options = uvicorn.Config(
                build(control), log_config=None, lifespan="off", timeout_graceful_shutdown=2, access_log=False
            )
            await _Server(options).serve(sockets=[sock])
        finally:
            control.streams.close()  # first: its threads end with what they kept
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await control.stop()


class _Server(uvicorn.Server):
    """Leaves in order on SIGTERM and SIGINT. The original raises the signal again, before anything else is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.handle_exit, name, None)
        try:
            yield
        finally:
            for name in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(name)


def _listen(host: str, port: int) -> socket.socket:
    """Raises OSError naming a port that is taken."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise OSError(f"the admin API can't listen on {host}:{port}: {error.strerror}") from error
    return sock


if __name__ == "__main__":
    sys.exit(main())
