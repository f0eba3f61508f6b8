"""Mappings that are corrected while the control plane runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from strangler.config import ConfigError, load
from strangler.config.reread import Reread
from tests.strangler.config.test_errors import GOOD


def test_a_corrected_mapping_counts_and_nothing_else_does(tmp_path: Path) -> None:
    file = tmp_path / "strangler.toml"
    file.write_text(GOOD)
    reread = Reread(load(file))
    file.write_text(GOOD.replace("TRIM(name)", "UPPER(name)").replace('name = "shop"', 'name = "other"'))
    config = reread.strict()
    assert config.capabilities["catalog"].tables["brands"].columns == {"name": "UPPER(name)"}
    assert config.project.name == "shop"
    file.write_text(GOOD.replace('"TRIM(name)"', "7"))
    with pytest.raises(ConfigError, match="text in quotes"):
        reread.strict()
    assert reread.lenient().capabilities["catalog"].tables["brands"].columns == {"name": "UPPER(name)"}
    file.unlink()
    assert reread.lenient().capabilities["catalog"].tables["brands"].columns == {"name": "UPPER(name)"}
