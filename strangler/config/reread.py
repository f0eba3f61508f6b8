"""The mappings of strangler.toml as they are on disk now, while a process that has read the file goes on."""

from __future__ import annotations

from contextlib import suppress

from strangler.config.load import load
from strangler.config.model import Config
from strangler.config.problem import ConfigError


class Reread:
    """Mappings are corrected while their streams are stopped, and nothing is restarted for it. All else in the file
    counts as it was when ``config`` was read."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stamp = self._now()

    def strict(self) -> Config:
        """With the mappings of the file. Raises ConfigError when the file is wrong now."""
        stamp = self._now()
        if stamp != self._stamp:
            fresh = load(self._config.path).capabilities
            capabilities = {
                name: section.model_copy(update={"tables": fresh[name].tables}) if name in fresh else section
                for name, section in self._config.capabilities.items()
            }
            self._config, self._stamp = self._config.model_copy(update={"capabilities": capabilities}), stamp
        return self._config

    def lenient(self) -> Config:
        """As ``strict``, or as it was last right."""
        with suppress(ConfigError):
            return self.strict()
        return self._config

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._config.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size
