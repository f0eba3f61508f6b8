from __future__ import annotations

import jwt
import pytest

from proxy import cohort
from proxy.flags import FlagError
from proxy.routes import Side

KEY = b"k" * 32


def test_a_token_carries_the_lane_and_runs_out() -> None:
    claims = jwt.decode(cohort.token("staff", KEY, 60), KEY, algorithms=["HS256"], issuer=cohort.ISSUER)
    assert claims["lane"] == "staff"
    assert claims["exp"] - claims["iat"] == 60
    claims = jwt.decode(cohort.token(None, KEY, 60, override=Side.NEW), KEY, algorithms=["HS256"])
    assert claims["lane"] == "new"


@pytest.mark.parametrize("name", ["legacy", "new", "everybody", "", "Staff", "a b", "é", "a,b"])
def test_a_cohort_name_that_means_something_else(name: str) -> None:
    with pytest.raises(FlagError, match="cohort"):
        cohort.token(name, KEY, 60)


def test_a_token_is_for_one_thing() -> None:
    for wrong in ({"cohort": None}, {"cohort": "staff", "override": Side.NEW}):
        with pytest.raises(FlagError, match="one of the two"):
            cohort.token(key=KEY, ttl_s=60, **wrong)  # type: ignore[arg-type]


def test_a_short_key_is_refused() -> None:
    with pytest.raises(FlagError, match="31 bytes; 32 or more are needed"):
        cohort.token("staff", b"k" * 31, 60)
