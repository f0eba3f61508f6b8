"""``python -m strangler.cli``: the same as the console script ``strangler``."""

from strangler.cli.main import run

run()
