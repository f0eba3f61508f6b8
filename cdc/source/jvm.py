"""The Java virtual machine inside this process: started once, at the first need."""

from __future__ import annotations

import atexit
import gc
import sys
import threading
import time
from pathlib import Path
from typing import Any

import jpype
import jpype.config

from cdc.source.engine_log import log_file

# Nothing in Java has to be kept at exit: the only truth is the position with the rows. Leaving by Java's own shutdown
# would wait for every thread of an engine, and for ever for one that is stuck.
jpype.config.onexit = False
jpype.config.destroy_jvm = False

COLLECT_SECONDS = 60.0
# Who comes back from a server or from Java waits so long for a thread that computes. Python's own 5 ms add up: a batch
# comes back a dozen times.
SWITCH_SECONDS = 0.001
YOUNG_MB = 192

_starting = threading.Lock()
_loggers: list[Any] = []  # Java forgets a logger's level when nobody holds the logger


def java(jars: tuple[Path, ...], java_home: Path, heap_mb: int, log_level: str = "warn") -> Any:
    """Start the JVM unless it runs, and give ``jpype.JClass``. The first caller's arguments win.

    Raises FileNotFoundError naming what is missing.
    """
    with _starting:
        if not jpype.isJVMStarted():
            library = java_home / "lib" / "server" / "libjvm.so"
            for path in (library, *jars):
                if not path.exists():
                    raise FileNotFoundError(f"the embedded engine needs {path}, which is not there")
            jpype.startJVM(
                str(library),
                "-Xrs",  # leaves the signals to Python
                f"-Xmx{heap_mb}m",
                f"-Xmn{min(YOUNG_MB, heap_mb * 5 // 8)}m",  # nearly all objects live shortly
                "-XX:MinHeapFreeRatio=10",  # what a large row took is given back
                "-XX:MaxHeapFreeRatio=25",
                "-XX:+UseSerialGC",
                # JPype asks for a full collection whenever this process has grown, which says nothing about Java's heap
                "-XX:+DisableExplicitGC",
                "--enable-native-access=ALL-UNNAMED",
                f"-Dorg.slf4j.simpleLogger.defaultLogLevel={log_level}",
                f"-Dorg.slf4j.simpleLogger.logFile={log_file()}",
                classpath=[str(jar) for jar in jars],
                convertStrings=False,
            )
            # the binlog client logs each connection through java.util.logging
            _loggers.append(jpype.JClass("java.util.logging.Logger").getLogger("com.github.shyiko"))
            _loggers[0].setLevel(jpype.JClass("java.util.logging.Level").WARNING)
            atexit.register(_leave_python_alone)
            gc.disable()
            sys.setswitchinterval(SWITCH_SECONDS)
            threading.Thread(target=_collect_seldom, name="garbage", daemon=True).start()
    return jpype.JClass


def _collect_seldom() -> None:
    """JPype collects all of Python's garbage after each of Java's collections, ten times a second under load, holding
    every thread up for as long as there are objects to look at; unless Python's collector is off. Reference counts free
    nearly everything here, so cycles are looked for once in a while."""
    while True:
        time.sleep(COLLECT_SECONDS)
        gc.collect()


def _leave_python_alone() -> None:
    """JPype's own Java thread drops Python objects whenever Java collects garbage. One that does so while Python shuts
    down aborts the process (SIGABRT, "FATAL: exception not rethrown"), and a supervisor takes that for a crash."""
    jpype.JClass("org.jpype.ref.JPypeReferenceQueue").getInstance().stop()
