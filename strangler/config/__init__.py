"""strangler.toml: everything the toolkit knows of the application it works on.

``load`` reads and checks the file and gives a frozen ``Config`` (as written, placeholders unfilled); ``resolve`` fills
the placeholders from what runs now (``.strangler/run/ports.json``) and gives a ``Resolved``. Errors (``ConfigError``)
name file, line, key, the fix and the nearest spelling, all problems of the file at once.

This package starts nothing, connects to nothing and writes nothing but ``ports.json`` on request.
"""

from strangler.config.load import find, load, load_text
from strangler.config.model import (
    Capability,
    Cohort,
    Config,
    Control,
    DatabaseSection,
    Gate,
    IdentitySection,
    Legacy,
    Process,
    Project,
    ProxySection,
    Redis,
    RouteSection,
    TableSection,
)
from strangler.config.ports import ControlPorts, EnvoyPorts, Ports
from strangler.config.problem import ConfigError, Problem
from strangler.config.resolve import Command, NotRunning, Resolved, resolve

__all__ = [
    "Capability",
    "Cohort",
    "Command",
    "Config",
    "ConfigError",
    "Control",
    "ControlPorts",
    "DatabaseSection",
    "EnvoyPorts",
    "Gate",
    "IdentitySection",
    "Legacy",
    "NotRunning",
    "Ports",
    "Problem",
    "Process",
    "Project",
    "ProxySection",
    "Redis",
    "Resolved",
    "RouteSection",
    "TableSection",
    "find",
    "load",
    "load_text",
    "resolve",
]
