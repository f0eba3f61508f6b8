"""Where the workers of one gunicorn keep their figures. No prometheus_client here: it decides at its import."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


def share_between_workers() -> None:
    """Gives the workers of one gunicorn a folder for their figures; must run before the first metric is made.

    Does nothing if PROMETHEUS_MULTIPROC_DIR is set already. Folders of masters that are gone are removed.
    """
    if MULTIPROCESS in os.environ:
        return
    base = Path(tempfile.gettempdir()) / f"shop-metrics-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    for folder in base.iterdir():
        if not (Path("/proc") / folder.name).exists():
            for file in folder.iterdir():
                file.unlink(missing_ok=True)
            folder.rmdir()
    folder = base / str(os.getppid())
    folder.mkdir(exist_ok=True)
    os.environ[MULTIPROCESS] = str(folder)
