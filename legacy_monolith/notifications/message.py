"""Writing a message: in the transaction that causes it, so that it is told exactly if it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from legacy_monolith.models import Mail, Notification, NotificationPreference, NotificationTemplate, User

if TYPE_CHECKING:
    from legacy_monolith.web.endpoint import Call

TOPICS = ("account", "orders", "returns", "bags", "favourites")


class UnknownTemplate(Exception):
    """There is no text of that name in ``notification_templates``."""


def write_message(session: Session, user: User, template: str, dedupe_key: str, values: dict[str, Any]) -> int | None:
    """The message in the app and the queued mail, as the user prefers; the mail's id, or None if none is wanted.

    ``dedupe_key`` names the occasion; a second mail for it breaks the table's unique key.
    """
    text = session.scalar(select(NotificationTemplate).where(NotificationTemplate.name == template))
    if text is None:
        raise UnknownTemplate(template)
    wish = session.scalar(
        select(NotificationPreference).where(
            NotificationPreference.user_id == user.id, NotificationPreference.topic == text.topic
        )
    )
    values = {"name": user.name, **values}
    subject, body = text.subject.format_map(values)[:200], text.body.format_map(values)
    if wish is None or wish.in_app:
        session.add(Notification(user_id=user.id, topic=text.topic, title=subject, body=body))
    if wish is not None and not wish.by_mail:
        return None
    mail = Mail(
        user_id=user.id, template=template, to_address=user.email, subject=subject, body=body, dedupe_key=dedupe_key
    )
    session.add(mail)
    session.flush()
    return mail.id


def tell(call: Call, user: User, template: str, dedupe_key: str, values: dict[str, Any]) -> None:
    """``write_message``, and the sending is asked for once the transaction has committed."""
    mail_id = write_message(call.session, user, template, dedupe_key, values)
    if mail_id is not None:
        call.after_commit(lambda: call.shop.queue.send_mail(mail_id))
