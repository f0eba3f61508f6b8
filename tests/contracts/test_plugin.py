from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CONTRACT = """
from contracts.case import Contract, require
CONTRACT = Contract("things")

@CONTRACT.case("there are things")
def things(visitor):
    require(visitor.get("/things").status == 200, "no things")

@CONTRACT.case("b has a page")
def page(visitor):
    require(visitor.get("/things/b").json["name"] == "b", "b is not b")
"""


@pytest.fixture
def contract_file(tmp_path: Path) -> Path:
    file = tmp_path / "things.py"
    file.write_text(CONTRACT)
    return file


def run_pytest(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "contracts.plugin", "-p", "no:cacheprovider", "-v"]
    command += ["--rootdir", str(file.parent), "-c", "/dev/null", str(file), *arguments]
    # Other installed plugins would only cost seconds.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_cases_are_tests_per_side_and_the_sides_are_compared(contract_file: Path, legacy: Any, new: Any) -> None:
    done = run_pytest(contract_file, "--legacy-url", legacy.url, "--new-url", new.url)
    assert done.returncode == 0, done.stdout
    assert "things.py::legacy::there are things PASSED" in done.stdout
    assert "things.py::new::b has a page PASSED" in done.stdout
    assert "things.py::same answers PASSED" in done.stdout


def test_a_planted_difference_fails_the_comparison_alone(contract_file: Path, legacy: Any, new: Any) -> None:
    new.bodies["/things/b"] = [b'{"name":"b","more":1}']
    done = run_pytest(contract_file, "--legacy-url", legacy.url, "--new-url", new.url)
    assert done.returncode == 1
    assert "4 passed" in done.stdout
    assert "GET /things/b at $.more: legacy (absent), new 1" in done.stdout


def test_one_side_needs_one_address(contract_file: Path, new: Any) -> None:
    done = run_pytest(contract_file, "--side", "new", "--new-url", new.url)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_a_missing_address_is_wrong_usage(contract_file: Path) -> None:
    done = run_pytest(contract_file, "--side", "legacy")
    assert done.returncode != 0
    assert "--legacy-url is missing" in done.stdout + done.stderr
