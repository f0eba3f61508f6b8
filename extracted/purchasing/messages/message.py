"""Writing a message into the outbox: in the transaction that causes it, so that it is told exactly if it happened."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from extracted.purchasing.tables import MessagePreference, MessageTemplate, OutgoingMail, OutgoingNotification, User


class UnknownTemplate(Exception):
    """There is no text of that name."""


def write_message(session: Session, user_id: int, template: str, dedupe_key: str, values: dict[str, Any]) -> None:
    """The message in the app and the mail, as the user prefers.

    ``dedupe_key`` names the occasion, the same on either side; a second mail for it breaks the table's unique key.
    """
    text = session.scalar(select(MessageTemplate).where(MessageTemplate.name == template))
    if text is None:
        raise UnknownTemplate(template)
    user = session.get_one(User, user_id)
    wish = session.scalar(
        select(MessagePreference).where(MessagePreference.user_id == user_id, MessagePreference.topic == text.topic)
    )
    values = {"name": user.name, **values}
    subject, body = text.subject.format_map(values)[:200], text.body.format_map(values)
    if wish is None or wish.in_app:
        session.add(OutgoingNotification(user_id=user_id, topic=text.topic, title=subject, body=body))
    if wish is None or wish.by_mail:
        session.add(
            OutgoingMail(
                user_id=user_id,
                template=template,
                to_address=user.email,
                subject=subject,
                body=body,
                dedupe_key=dedupe_key,
            )
        )
    session.flush()
