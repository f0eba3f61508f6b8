"""Sending what waits in the outbox. Sending means marking: there is no mail server behind the example."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from legacy_monolith.clock import shop_now
from legacy_monolith.jobs.context import current_shop
from legacy_monolith.models import Mail

QUEUED, SENT = 0, 1
BATCH = 500


def send_mail(mail_id: int) -> bool:
    """One mail, at most once; whether it was sent now."""
    return current_shop().database.run(lambda session: _send(session, [mail_id])) == 1


def send_queued() -> int:
    """The sweep: whatever still waits."""
    database = current_shop().database

    def sweep(session: Session) -> int:
        waiting = list(session.scalars(select(Mail.id).where(Mail.status == QUEUED).order_by(Mail.id).limit(BATCH)))
        return _send(session, waiting) if waiting else 0

    return database.run(sweep)


def _send(session: Session, mail_ids: list[int]) -> int:
    rows = list(
        session.scalars(
            select(Mail)
            .where(Mail.id.in_(mail_ids), Mail.status == QUEUED)
            .order_by(Mail.id)
            .with_for_update(skip_locked=True)
        )
    )
    for row in rows:
        row.status, row.sent_at, row.attempts = SENT, shop_now(), row.attempts + 1
    return len(rows)
