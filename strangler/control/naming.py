"""What people call things, checked against strangler.toml."""

from __future__ import annotations

from strangler.config import Config
from strangler.config.problem import nearest
from strangler.exits import Usage

REASON_NEEDED = 'a reason is needed, it goes into the audit: --reason "..."'


def known(config: Config, capability: str) -> str:
    """The name itself. Raises Usage with the nearest spelling."""
    if capability not in config.capabilities:
        hint = nearest(capability, config.capabilities)
        raise Usage(f"no capability {capability!r} in {config.path.name}" + (f"; {hint}" if hint else ""))
    return capability


def given(reason: str, *, dry_run: bool) -> str:
    """The reason, without blanks around it. A dry run stores nothing and needs none. Raises Usage."""
    if not reason.strip() and not dry_run:
        raise Usage(REASON_NEEDED)
    return reason.strip()
