"""Looks after one connector and its topic while they are read: what is wrong is noted for the reader to raise."""

from __future__ import annotations

import threading
import time

from cdc.source.connect import Connect
from cdc.source.kafka_settings import KafkaHosting, changed_by_hand, topic_of
from cdc.source.port import SourceError
from cdc.source.topics import Topics

EVERY_SECONDS = 1.0
SETTINGS_EVERY = 10  # rounds
AWAY_ROUNDS = 3  # so often not to be reached before it counts


class ConnectorWatch(threading.Thread):
    """Runs until ``end`` or until there is ``trouble``. Has clients of its own."""

    def __init__(self, hosting: KafkaHosting, stream: str, wanted: dict[str, str], topic_id: str) -> None:
        super().__init__(name=f"watch-{stream}", daemon=True)
        self._hosting, self._stream, self._wanted, self._topic_id = hosting, stream, wanted, topic_id
        self._ended = threading.Event()
        self._away = 0
        self.trouble: SourceError | None = None
        self.trouble_at = 0.0

    def end(self) -> None:
        self._ended.set()
        if self.is_alive():
            self.join(30)

    def run(self) -> None:
        connect, topics = Connect(self._hosting), Topics(self._hosting, self._stream)
        try:
            rounds = 0
            while self.trouble is None and not self._ended.wait(EVERY_SECONDS):
                try:
                    found = self._look(connect, topics, settings_too=rounds % SETTINGS_EVERY == SETTINGS_EVERY - 1)
                    self._away = 0
                except SourceError as error:
                    # one that can't be reached may be there again in a moment
                    self._away += 1
                    found = error if not error.away or self._away >= AWAY_ROUNDS else None
                if found is not None:
                    self.trouble_at, self.trouble = time.monotonic(), found
                rounds += 1
        finally:
            connect.close()
            topics.close()

    def _look(self, connect: Connect, topics: Topics, *, settings_too: bool) -> SourceError | None:
        """What is wrong; ``away`` where a new start mends it. Raises SourceError when nobody answers."""
        name = self._stream
        standing = connect.standing(name)
        if standing is None:
            return SourceError(f"the connector {name} is gone: it is made again", away=True)
        if standing.failed:
            cause = standing.error()
            return SourceError(f"the connector's task failed: {cause}", away=cause.away, way_out=cause.way_out)
        if standing.connector in ("PAUSED", "STOPPED"):
            return SourceError(
                f"somebody set the connector {name} to {standing.connector}: it is woken again"
                " (strangler sync pause is the way to pause)",
                away=True,
            )
        found = topics.id_of(topic_of(name))
        if found != self._topic_id:
            return SourceError(
                f"the topic {topic_of(name)} was deleted{' and made again' if found else ''} while it was read",
                way_out="copy all tables again: strangler sync resnapshot",
            )
        if settings_too and (keys := changed_by_hand(connect.settings(name) or {}, self._wanted)):
            return SourceError(f"the connector {name} is being changed by hand: {', '.join(keys)}", away=True)
        return None
