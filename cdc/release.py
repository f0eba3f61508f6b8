"""Letting events out of quarantine while the stream stands still because of an error."""

from __future__ import annotations

import json
from contextlib import closing

import structlog

from cdc.apply.applier import Applier
from cdc.apply.plan import read_plan
from cdc.apply.quarantine import Quarantine
from cdc.apply.release import Releaser
from cdc.explain import words_of
from cdc.ledger import Ledger
from cdc.quarantine import OF_STREAM
from cdc.session import open_session
from cdc.spec import StreamSpec
from cdc.state import SCHEMA

log = structlog.get_logger("stream")


def release(spec: StreamSpec, request: int) -> None:
    """Carry out what was asked up to ``request``. What keeps it from being done is the answer, not raised."""
    try:
        _release(spec, request)
    except Exception as error:  # noqa: BLE001 - told to whoever asked
        log.warning("quarantine.request", capability=spec.capability, failed=words_of(error))
        try:
            _refuse(spec, request, words_of(error))
        except Exception as away:  # noqa: BLE001 - whoever asked is told that nobody answered
            log.warning("quarantine.request", capability=spec.capability, unanswered=words_of(away))


def _release(spec: StreamSpec, request: int) -> None:
    with closing(open_session(spec.target, load=True)) as target, closing(open_session(spec.source)) as source:
        with target.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        ledger = Ledger(target, spec.capability, spec.direction)
        ledger.take()
        quarantine = Quarantine(target, spec.capability, spec.direction, spec.quarantine)
        stored = ledger.read()
        shapes = stored.shapes if stored is not None else {}
        applier = Applier(target, read_plan(spec.mapping, source, target, shapes, spec.accepted_keys), quarantine)
        Releaser(target, applier, quarantine, spec.capability, spec.direction, ledger.fence).look(request)


def _refuse(spec: StreamSpec, request: int, why: str) -> None:
    with closing(open_session(spec.target, schema=False)) as session, session.cursor() as cursor:
        cursor.execute(
            f"UPDATE {SCHEMA}.quarantine_request SET answer = %s WHERE {OF_STREAM} AND id <= %s AND answer IS NULL",
            (json.dumps({"refused": why}), spec.capability, str(spec.direction), request),
        )
        session.commit()
