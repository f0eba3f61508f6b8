from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.case import Contract, ContractError, load
from contracts.run import Patience, main, run_contract
from contracts.visitor import Unreachable
from strangler.dev.ports import free_port

ONCE = Patience(attempts=1)


def run(contract: Contract, side: str, legacy: Any, new: Any, patience: Patience = ONCE) -> Any:
    return run_contract(contract, side, legacy_url=legacy.url, new_url=new.url, patience=patience)


def test_equal_sides_pass_every_case_and_every_comparison(contract: Contract, legacy: Any, new: Any) -> None:
    report = run(contract, "both", legacy, new)
    assert (report.passed, report.failed, report.ok) == (2 + 2 + 3, 0, True)


def test_one_side_is_run_without_the_other(contract: Contract, new: Any) -> None:
    report = run_contract(contract, "new", new_url=new.url, patience=ONCE)
    assert (report.passed, report.side) == (2, "new")


@pytest.mark.parametrize(
    ("planted", "path", "legacy_says", "new_says"),
    [
        (b'{"things":["a","c"],"total":2}', "$.things[1]", '"b"', '"c"'),
        (b'{"things":["a","b","c"],"total":3}', "$.things (length)", "2", "3"),
        (
            b'{"total":2,"things":["a","b"]}',
            "byte 3",
            'b\'hings":["a","b"],"total":2}\'',
            'b\'otal":2,"things":["a","b"]}\'',
        ),
        (b'{"things":["a","b"],"total": 2}', "byte 28", "b'2}'", "b' 2}'"),
    ],
)
def test_a_planted_difference_is_named(
    contract: Contract, legacy: Any, new: Any, planted: bytes, path: str, legacy_says: str, new_says: str
) -> None:
    new.bodies["/things"] = [planted]
    new.bodies["/things/c"] = [b'{"name":"c"}']
    report = run(contract, "both", legacy, new)
    assert not report.ok
    first = next(difference for difference in report.differences if difference.side == "both")
    assert (first.request, first.path, first.legacy, first.new) == ("GET /things", path, legacy_says, new_says)


def test_a_broken_promise_is_told_with_its_side(contract: Contract, legacy: Any, new: Any) -> None:
    new.bodies["/things/b"] = [b'{"name":"other"}']
    report = run(contract, "both", legacy, new)
    sides = [(difference.side, difference.case) for difference in report.differences]
    assert sides == [("new", "each thing has a page"), ("both", "same answers")]
    assert report.differences[0].message == "the page of b is that of other"
    assert report.failed == 2


def test_what_was_in_flight_settles(contract: Contract, legacy: Any, new: Any) -> None:
    old = b'{"things":["a"],"total":1}'
    new.bodies["/things"] = [old, old, old, *new.bodies["/things"]]
    paused: list[float] = []
    report = run(contract, "both", legacy, new, Patience(3, 0.25, paused.append))
    assert report.ok
    assert report.settled == 1
    assert paused == [0.25]


def test_what_stays_different_is_asked_again_before_it_counts(contract: Contract, legacy: Any, new: Any) -> None:
    new.bodies["/things/b"] = [b'{"name": "b"}']
    report = run(contract, "both", legacy, new, Patience(3, 0.0, lambda _: None))
    assert report.failed == 1
    assert new.asked.count("/things/b") == 1 + 3


def test_a_declared_normalisation_takes_a_permitted_difference_away(contract: Contract, legacy: Any, new: Any) -> None:
    new.bodies["/things/b"] = [b'{"name": "b"}']
    contract.normalise = lambda answer: answer.body.replace(b": ", b":")
    assert run(contract, "both", legacy, new).ok


def test_an_unreachable_side_is_named(contract: Contract, legacy: Any) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable, match=nobody):
        run_contract(contract, "both", legacy_url=legacy.url, new_url=nobody, patience=ONCE)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["catalgo", "--legacy-url", "http://h", "--new-url", "http://h"],
            "no contract is called 'catalgo'; there are: catalog",
        ),
        (
            ["contracts/nope.py", "--side", "new", "--new-url", "http://h"],
            "there is no contract file contracts/nope.py",
        ),
        (["catalog", "--side", "new"], "--new-url is missing"),
        (["catalog", "--legacy-url", "localhost:80", "--new-url", "http://h"], "--legacy-url must start with http://"),
    ],
)
def test_wrong_usage_is_exit_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_the_command_prints_the_contracts_keys(
    legacy: Any, new: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "things.py"
    file.write_text(
        "from contracts.case import Contract, require\n"
        "CONTRACT = Contract('things')\n"
        "@CONTRACT.case('there are things')\n"
        "def things(visitor):\n"
        "    require(visitor.get('/things').status == 200, 'no things')\n"
    )
    arguments = [str(file), "--legacy-url", legacy.url, "--new-url", new.url]
    assert main([*arguments, "--json"]) == 0
    assert {"passed": 3, "failed": 0, "differences": []}.items() <= json.loads(capsys.readouterr().out).items()
    del new.bodies["/things"]
    assert main(arguments) == 1
    said = capsys.readouterr().out
    assert "broken on new: there are things\n    no things" in said
    assert "differs: GET /things\n    status: legacy 200, new 404" in said


def test_a_contract_is_loaded_by_name_or_file() -> None:
    assert load("catalog") is load("contracts/catalog.py")
    with pytest.raises(ContractError, match="has no CONTRACT"):
        load("shape")


def test_a_case_has_one_name(contract: Contract) -> None:
    with pytest.raises(ValueError, match="two cases called 'things are listed'"):
        contract.case("things are listed")(lambda visitor: None)
