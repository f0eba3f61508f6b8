"""Become one process of the environment: ``python launch.py .strangler/run/launch/NAME.json``.

The supervisor starts this, and it replaces itself by the process (same pid). So commands and settings need no quoting
in the supervisor's configuration, passwords stay in a private file, and every start, the supervisor's own restarts
too, leaves a note of pid and creation time by which the process is found even when the supervisor is gone.

Standard library only and no package imports: it runs as a plain file, in a few milliseconds.
"""

import json
import os
import sys
from pathlib import Path

MARK = "STRANGLER_SUPERVISED"
"""In the environment of all that is started, children too; its value is the ``.strangler`` folder."""


def main() -> None:
    launch = json.loads(Path(sys.argv[1]).read_text())
    started = Path(launch["started"])
    # Fields 22 of /proc/PID/stat is the start time in clock ticks; the name in field 2 may hold blanks.
    ticks = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19]
    part = started.with_suffix(".part")
    part.write_text(json.dumps({"pid": os.getpid(), "ticks": int(ticks), "spec": launch["spec"]}))
    part.replace(started)
    os.chdir(launch["folder"])
    try:
        os.execvpe(launch["argv"][0], launch["argv"], os.environ | launch["env"])
    except OSError as error:
        sys.exit(f"{launch['argv'][0]} can't be started: {error.strerror}")


if __name__ == "__main__":
    main()
