"""What the engine's last words mean, for the stream and for people. Pure."""

from __future__ import annotations

import re

from cdc.source.port import SourceError

_AWAY = (
    "Communications link failure",
    "Connection refused",
    "Connection reset",
    "SocketException",
    "SocketTimeoutException",
    "EOFException",
    "ConnectException: Failed to connect",
    "Failed to reconnect",
    "Socket fail to connect",
    "UnknownHostException",
    "Server shutdown in progress",
    "Could not connect to address",
    "Unable to connect: Failed to authenticate to the MySQL database",  # the driver's words for a server on its way up
)
_PURGED = (
    "no longer available on the server",
    "purged required binary logs",
    "purged binary logs containing GTIDs",
    "Could not find first log file name",
    "binlog truncated in the middle",
    "impossible position",
    "errno 1236",
    "code=1236",
)
_HISTORY = ("db history topic", "schema history", "history topic or its content")
_INCOMPLETE = ("but row size",)
_UNREAD = ("NoViableAltException", "ParsingException", "InputMismatchException", "mismatched input", "extraneous input")
_NOISE = re.compile(r"^(java\.(lang|util|io|sql)\.[\w.]+|[\w.]+(Exception|Error)): ")


def failure(said: list[str]) -> SourceError:
    """From the chain of causes, the deepest first: the first that says something, in words with a way out."""
    everything = " | ".join(said)
    message = next((clean for text in said if (clean := _clean(text))), "the engine ended without saying why")
    if any(sign in everything for sign in _PURGED):
        return SourceError(
            f"the source no longer has the binlog from the stored position on ({message})",
            way_out="copy all tables again: strangler sync resnapshot; keep binlogs longer than a stream may pause",
        )
    if any(sign.lower() in everything.lower() for sign in _HISTORY):
        return SourceError(
            f"the stream's schema history is missing or wrong ({message})", way_out="strangler sync resnapshot"
        )
    if any(sign in everything for sign in _INCOMPLETE):
        return SourceError(
            "a change event has not all columns of its table: it was written with a binlog_row_image other than FULL,"
            f" by the server's setting or a session's ({message})",
            way_out="SET GLOBAL binlog_row_image = 'FULL' at the source, end the sessions that have another, and copy"
            " all tables again: strangler sync resnapshot",
        )
    if any(sign in everything for sign in _UNREAD):
        return SourceError(
            f"the engine can't read a statement of the source's binlog ({message})",
            way_out="it is in the worker's log; begin behind it by copying all tables: strangler sync resnapshot",
        )
    if any(sign in everything for sign in _AWAY):
        return SourceError(f"the source can't be reached ({message})", away=True)
    return SourceError(message, way_out="see the worker's log; then: strangler sync resume")


def _clean(text: str) -> str:
    while (shorter := _NOISE.sub("", text)) != text:
        text = shorter
    generic = ("An exception occurred in the change event producer", "Unexpected error while", "Connector ")
    return "" if not text.strip() or text.startswith(generic) else " ".join(text.split())
