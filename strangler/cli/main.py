"""The ``strangler`` command: its groups, its errors, its exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from strangler.cli import (
    audit,
    cohort,
    contracts,
    evidence,
    flags,
    load,
    moves,
    quarantine,
    repair,
    status,
    sync,
    verify,
)
from strangler.cli.environment import register as register_environment
from strangler.cli.failure import Answered, tell, wrong
from strangler.cli.screen import Screen
from strangler.config import ConfigError, NotRunning
from strangler.config.ports import PortsError
from strangler.exits import Exit


def build() -> typer.Typer:
    app = typer.Typer(
        name="strangler",
        help="Move capabilities out of a legacy monolith: traffic by flags, rows by change streams, each step on "
        "evidence and reversible.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    register_environment(app)
    for group in (status, flags, moves, repair, sync, quarantine, verify, contracts, load, evidence, audit, cohort):
        group.register(app)
    return app


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script. Never shows a traceback for what a person can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(main(given))


def main(arguments: Sequence[str]) -> int:
    """Runs one command; the exit code."""
    as_json, screen = "--json" in arguments, Screen()
    try:
        ended = build()(args=list(arguments) or ["--help"], prog_name="strangler", standalone_mode=False)
        return int(ended) if isinstance(ended, int) else Exit.DONE
    except Answered as failed:
        return tell(failed, as_json=as_json, screen=screen)
    except ConfigError as error:
        return tell(wrong(str(error), Exit.USAGE), as_json=as_json, screen=screen)
    except (NotRunning, PortsError) as error:
        return tell(wrong(str(error)), as_json=as_json, screen=screen)
    except typer.TyperException as error:
        exit = Exit.USAGE if getattr(error, "exit_code", Exit.FAILED) == Exit.USAGE else Exit.FAILED
        return tell(wrong(_usage(error), exit), as_json=as_json, screen=screen)
    except (typer.Abort, KeyboardInterrupt):
        screen.error("stopped looking; what the control plane has begun goes on: strangler status")
        return 130
    except BrokenPipeError:
        return Exit.DONE  # whoever read the output has seen enough


def _usage(error: typer.TyperException) -> str:
    """The library's message in our form: lower case, no full stop, and where help is."""
    text = str(getattr(error, "format_message", lambda: error)()).rstrip(".").replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "strangler"
    return f"{text[:1].lower()}{text[1:]}; see {command} --help"
