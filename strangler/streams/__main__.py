"""The worker process of one capability's stream: ``python -m strangler.streams CAPABILITY [--back]``."""

from __future__ import annotations

import sys

from strangler.streams.worker import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
