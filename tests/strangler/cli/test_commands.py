"""The command line against a running control plane and Envoy, as a user types it."""

from __future__ import annotations

import signal
import sys

import httpx
import jsonschema
import pytest

pytestmark = pytest.mark.real

PROJECT = """
[project]
name = "test"
[databases.old]
url = "mysql://u:p@127.0.0.1:1/old"
[legacy]
url = "{legacy}"
database = "old"
[capability.catalog]
url = "{new}"
routes = ["GET /api/items", "GET /api/items/{{id}}", "POST /api/items"]
[capability.offers]
url = "{new}"
routes = ["GET /api/offers"]
"""
USERS = [f"user-{n}" for n in range(60)]


@pytest.fixture(scope="module")
def stack(make_stack, sides):
    legacy, new = sides
    stack = make_stack(PROJECT.format(legacy=legacy.url, new=new.url))
    stack.start_control()
    stack.start_envoy()
    return stack


@pytest.fixture
def canary(stack):
    """catalog in canary at 10 %."""
    phase = stack.strangler("status", "catalog", "--json").json["capabilities"][0]["phase"]
    if phase == "legacy":
        assert stack.strangler("advance", "catalog", "--reason", "x").exit == 0
    if phase == "reads":
        assert stack.strangler("rollback", "catalog", "--reason", "x").exit == 0
    if phase != "canary":
        assert stack.strangler("advance", "catalog", "--percent", "10", "--reason", "x").exit == 0
    else:
        stack.strangler("flag", "set", "catalog", "--percent", "10", "--pin", "none", "--reason", "x")
    return stack


def served(stack) -> dict[str, str]:
    return {user: stack.get("/api/items", user).headers["x-strangler-side"] for user in USERS}


def test_a_user_keeps_the_side_while_the_percent_grows(canary) -> None:
    """Invariants 1 to 3, from the command to the response."""
    before = served(canary)
    done = canary.strangler("flag", "set", "catalog", "--percent", "50", "--reason", "more", "--json")
    assert done.exit == 0
    jsonschema.validate(done.json, {"required": ["version", "applied", "ms_to_applied", "proxies"]})
    assert done.json["applied"] is True
    after = served(canary)
    assert all(after[user] == "new" for user in USERS if before[user] == "new")
    assert set(after.values()) == {"legacy", "new"}
    answer = canary.get("/api/items", USERS[0])
    assert answer.headers["x-strangler-version"] == str(done.json["version"])
    assert answer.text == answer.headers["x-strangler-side"]

    assert canary.strangler("advance", "catalog", "--reason", "all of it").exit == 0
    assert set(served(canary).values()) == {"new"}
    back = canary.strangler("rollback", "catalog", "--reason", "oops")
    assert back.exit == 0
    assert "catalog is in synced." in back.out
    assert set(served(canary).values()) == {"legacy"}


def test_what_people_see(canary) -> None:
    text = canary.typed("status").out
    assert "applied by 1 of 1 proxy" in text
    assert "catalog      canary" in text
    assert "10 %" in text
    one = canary.typed("status", "catalog").out
    assert "GET  /api/items/{id}" in one
    dry = canary.typed("flag", "set", "catalog", "--percent", "60", "--dry-run")
    assert "10 % -> 60 %" in dry.out
    assert dry.out.endswith("nothing was changed\n")
    done = canary.typed("flag", "set", "catalog", "--percent", "60", "--reason", "quiet evening")
    assert "catalog 10 % -> 60 %" in done.out
    assert "applied by 1 of 1 proxy in " in done.out
    assert "quiet evening" in canary.typed("audit").out
    assert "\x1b" not in text + one + dry.out + done.out  # piped: no colour


@pytest.mark.parametrize(
    ("arguments", "exit", "words"),
    [
        (
            ["flag", "set", "catalog", "--percent", "20"],
            2,
            "error: a reason is needed, it goes into the audit: --reason",
        ),
        (["flag", "set", "catalgo", "--percent", "20", "--reason", "x"], 2, "did you mean 'catalog'?"),
        (["flag", "set", "catalog", "--percent", "101", "--reason", "x"], 2, "101 is out of range"),
        (["flag", "set", "catalog", "--percent", "lots", "--reason", "x"], 2, "'--percent'"),
        (["flag", "set", "catalog/api/itms", "--percent", "1", "--reason", "x"], 2, "did you mean '/api/items'?"),
        (
            ["flag", "set", "catalog/POST /api/items", "--percent", "1", "--reason", "x"],
            3,
            "where the data has its owner",
        ),
        (["flag", "set", "catalog/POST /api/items", "--cohort", "staff", "--reason", "x"], 2, "no cohort"),
        (["flag", "set", "offers", "--percent", "20", "--reason", "x"], 3, "nothing was changed"),
        (["flag", "set", "catalog", "--shadow", "1", "--reason", "x"], 3, "shadow traffic is not built yet"),
        (["advance", "catalog", "--to", "writes", "--reason", "x"], 3, "one step at a time"),
        (["advance", "offers", "--to", "reads", "--reason", "x"], 3, "one step at a time"),
        (["advance", "offers"], 2, "a reason is needed"),
        (["verify", "offers"], 2, "nothing to compare"),
        (["contracts", "run", "offers"], 2, "has no contract"),
        (["sync", "start", "offers", "--reason", "x"], 2, "no change stream"),
        (["flag"], 2, "missing command"),
        (["nonsense"], 2, "no such command 'nonsense'"),
        (["status", "--jsno"], 2, "no such option"),
        (["advance", "offers", "--to", "there"], 2, "'there'"),
    ],
)
def test_says_no_with_the_right_exit(canary, arguments: list[str], exit: int, words: str) -> None:
    ran = canary.strangler(*arguments)
    assert ran.exit == exit, ran
    assert words in ran.err, ran.err
    assert ran.err.startswith(("error: ", "refused: "))
    assert "Traceback" not in ran.err
    if "--to" not in arguments or exit == 3:
        as_json = canary.strangler(*arguments, "--json")
        assert as_json.exit == exit
        assert as_json.json["exit"] == exit


def test_proxies_go_on_without_the_control_plane(canary) -> None:
    """Invariant 4, and the message when nobody answers."""
    before = served(canary)
    canary.kill("control", signal.SIGKILL)
    down = canary.strangler("status")
    assert down.exit == 1
    assert "the control plane doesn't answer" in down.err
    assert "strangler up" in down.err
    assert served(canary) == before
    canary.start_control()
    canary.await_ok("envoy", f"http://127.0.0.1:{canary.ports.envoy.listen}/__strangler/version")
    assert served(canary) == before
    found = canary.strangler("status", "catalog", "--json").json
    assert found["capabilities"][0]["phase"] == "canary"
    assert found["capabilities"][0]["percent"] == 10


def test_a_second_control_plane_is_refused(canary) -> None:
    canary.start("second", sys.executable, "-m", "strangler.control")
    assert canary.running.pop("second").wait(60) == 1
    assert "another control plane runs" in (canary.folder / "second.log").read_text()


def test_the_control_plane_ends_in_order(canary) -> None:
    assert canary.kill("control") == 0
    canary.start_control()


def test_a_wrong_file_is_told_with_its_line(canary) -> None:
    file = canary.folder / "strangler.toml"
    good = file.read_text()
    file.write_text(good.replace("[legacy]", "[legacyy]"))
    try:
        ran = canary.strangler("status")
    finally:
        file.write_text(good)
    assert ran.exit == 2
    assert "strangler.toml:6: legacyy\n  unknown key 'legacyy'\n  did you mean 'legacy'?" in ran.err


def test_metrics_name_what_moves(canary) -> None:
    text = httpx.get(f"http://127.0.0.1:{canary.ports.control.api}/metrics", trust_env=False).text
    for name in ("strangler_flags_version", "strangler_phase", "strangler_route_requests", "strangler_proxies"):
        assert name in text
