"""How a command ends when it doesn't end well: the text, the JSON, the exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from strangler.cli.screen import Screen, print_json
from strangler.exits import Exit


class Answered(Exception):
    """The control plane (or this program, in the same shape) said no. ``answer`` has error, exit, reasons and more."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(str(answer.get("error", "")))
        self.answer = answer

    @property
    def exit(self) -> int:
        return int(self.answer.get("exit", Exit.FAILED))


def wrong(message: str, exit: Exit = Exit.FAILED, reasons: Sequence[str] = ()) -> Answered:
    """An error that this program found by itself."""
    return Answered({"event": "error", "error": message, "exit": int(exit), "reasons": list(reasons)})


def tell(failed: Answered, *, as_json: bool, screen: Screen) -> int:
    """Say it (JSON on stdout, text on stderr) and give the exit code."""
    answer = failed.answer
    if as_json:
        print_json({key: value for key, value in answer.items() if key != "event"})
        return failed.exit
    refused = failed.exit == Exit.REFUSED
    message = str(answer.get("error", ""))
    if "shown" in answer:
        screen.error(str(answer["shown"]))
    else:
        screen.error(_headline(message, refused=refused))
    checks = answer.get("checks") or []
    if checks:
        _checks(checks, screen)
    else:
        for reason in answer.get("reasons", ()):
            screen.error(f"  {reason}")
    if refused:
        screen.error("nothing was changed")
    return failed.exit


def _headline(message: str, *, refused: bool) -> str:
    """A message that begins with file:line stands for itself, as a compiler's does."""
    return message if ".toml:" in message.split(" ")[0] else f"{'refused' if refused else 'error'}: {message}"


def _checks(checks: Sequence[Mapping[str, Any]], screen: Screen) -> None:
    """A gate's answer: what speaks against it and what is fine, in the gate's order."""
    width = max(len(check["name"]) for check in checks)
    for check in checks:
        screen.error(f"  {check['name']:<{width}}   {check['text']}")
        if check["fix"] and check["verdict"] != "pass":
            screen.error(f"  {'':<{width}}   {check['fix']}")
