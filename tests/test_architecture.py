"""The import rules of docs/architecture.md hold: traffic and data know neither each other nor the example."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_imports_run_one_way() -> None:
    program = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_about_the_shop_is_in_the_toolkit() -> None:
    """The toolkit knows the application only through strangler.toml."""
    words = ("legacy_monolith", "extracted.", "thredup", "consignment", "payment_gateway", "shop_session")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for folder in ("proxy", "cdc", "strangler")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for word in words
        if word in path.read_text(encoding="utf-8").lower()
    ]
    assert not found
