"""Shell lines that name what `strangler up` has running: ``eval "$(python -m demo.environment)"``."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path


def main() -> int:
    path = Path(".strangler/run/ports.json")
    if not path.exists():
        print("echo 'error: nothing has been started here: make up' >&2; false")
        return 1
    places = json.loads(path.read_text())
    lines = {
        "DATABASE_URL": places["databases"]["legacy"],
        "SHOP_URL": f"http://127.0.0.1:{places['envoy']['listen']}",
        "PAYMENT_GATEWAY_URL": f"http://127.0.0.1:{places['processes']['gateway']}",
        "GATEWAY_LEDGER": str(Path(".strangler/state/gateway.db").resolve()),
    }
    for name, value in lines.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
