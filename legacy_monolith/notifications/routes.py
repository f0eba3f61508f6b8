"""Messages in the app, preferences, and the texts that staff may change."""

from __future__ import annotations

import string
from typing import Any

from flask import Blueprint
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy import select

from legacy_monolith.clock import iso, shop_now
from legacy_monolith.models import Notification, NotificationPreference, NotificationTemplate
from legacy_monolith.notifications.message import TOPICS
from legacy_monolith.web.answer import Reply
from legacy_monolith.web.endpoint import Access, Call, endpoint
from legacy_monolith.web.errors import not_found
from legacy_monolith.web.paging import PageQuery, window

blueprint = Blueprint("notifications", __name__)


class Preference(Schema):
    topic = fields.String(required=True, validate=validate.OneOf(TOPICS))
    by_mail = fields.Boolean(required=True)
    in_app = fields.Boolean(required=True)


class Preferences(Schema):
    preferences = fields.List(fields.Nested(Preference), required=True)


def _fillable(text: str) -> None:
    try:
        list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValidationError(f"not a text with {{name}} places: {error}") from error


class TemplateBody(Schema):
    subject = fields.String(required=True, validate=[validate.Length(1, 200), _fillable])
    body = fields.String(required=True, validate=[validate.Length(1, 10_000), _fillable])


@blueprint.get("/api/notifications")
@endpoint("Messages, newest first", access=Access.USER, query=PageQuery, errors=(400, 401))
def notifications(call: Call) -> dict[str, Any]:
    limit, offset = window(call.query)
    rows = call.session.scalars(
        select(Notification)
        .where(Notification.user_id == call.user.id)
        .order_by(Notification.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return {
        "notifications": [
            {
                "id": row.id,
                "topic": row.topic,
                "title": row.title,
                "body": row.body,
                "read_at": iso(row.read_at),
                "created_at": iso(row.created_at),
            }
            for row in rows
        ]
    }


@blueprint.post("/api/notifications/<int:notification_id>/read")
@endpoint("Mark a message as read", access=Access.USER, status=204, errors=(401, 404))
def read(call: Call, notification_id: int) -> Reply:
    row = call.session.get(Notification, notification_id)
    if row is None or row.user_id != call.user.id:
        raise not_found("notification")
    row.read_at = row.read_at or shop_now()
    return Reply(None)


def _preferences(call: Call) -> dict[str, NotificationPreference]:
    rows = call.session.scalars(select(NotificationPreference).where(NotificationPreference.user_id == call.user.id))
    return {row.topic: row for row in rows}


def _represent(stored: dict[str, NotificationPreference]) -> dict[str, Any]:
    return {
        "preferences": [
            {
                "topic": topic,
                "by_mail": topic not in stored or stored[topic].by_mail == 1,
                "in_app": topic not in stored or stored[topic].in_app == 1,
            }
            for topic in TOPICS
        ]
    }


@blueprint.get("/api/notification-preferences")
@endpoint("How the user wants to be told", access=Access.USER, errors=(401,))
def preferences(call: Call) -> dict[str, Any]:
    return _represent(_preferences(call))


@blueprint.put("/api/notification-preferences")
@endpoint("Change how the user wants to be told", access=Access.USER, body=Preferences, errors=(400, 401))
def change_preferences(call: Call) -> dict[str, Any]:
    stored = _preferences(call)
    for wish in call.body["preferences"]:
        row = stored.get(wish["topic"])
        if row is None:
            row = stored[wish["topic"]] = NotificationPreference(user_id=call.user.id, topic=wish["topic"])
            call.session.add(row)
        row.by_mail, row.in_app = int(wish["by_mail"]), int(wish["in_app"])
    return _represent(stored)


def _template(row: NotificationTemplate) -> dict[str, Any]:
    return {"name": row.name, "topic": row.topic, "subject": row.subject, "body": row.body}


@blueprint.get("/api/notification-templates")
@endpoint("The texts of messages", access=Access.STAFF, errors=(401, 403))
def templates(call: Call) -> dict[str, Any]:
    rows = call.session.scalars(select(NotificationTemplate).order_by(NotificationTemplate.name))
    return {"templates": [_template(row) for row in rows]}


@blueprint.put("/api/notification-templates/<name>")
@endpoint("Change a text", access=Access.STAFF, body=TemplateBody, errors=(400, 401, 403, 404))
def change_template(call: Call, name: str) -> dict[str, Any]:
    row = call.session.scalar(select(NotificationTemplate).where(NotificationTemplate.name == name))
    if row is None:
        raise not_found("template")
    row.subject, row.body = call.body["subject"], call.body["body"]
    return _template(row)
