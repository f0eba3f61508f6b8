"""Sign-up, log-in, log-out, the account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from marshmallow import Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from legacy_monolith import money
from legacy_monolith.accounts.log_in import LIFETIME, close_session, open_session
from legacy_monolith.clock import iso
from legacy_monolith.models import User
from legacy_monolith.notifications.message import tell
from legacy_monolith.web.answer import Reply
from legacy_monolith.web.endpoint import COOKIE, Access, Call, endpoint, token_of_request
from legacy_monolith.web.errors import ApiError, conflict

blueprint = Blueprint("accounts", __name__)


class SignUp(Schema):
    email = fields.Email(required=True, validate=validate.Length(max=190))
    password = fields.String(required=True, validate=validate.Length(8, 200))
    name = fields.String(required=True, validate=validate.Length(1, 120))
    phone = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=40))


class LogIn(Schema):
    email = fields.String(required=True)
    password = fields.String(required=True)


class AccountChange(Schema):
    name = fields.String(validate=validate.Length(1, 120))
    phone = fields.String(allow_none=True, validate=validate.Length(max=40))


def represent(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "phone": user.phone,
        "role": "staff" if user.role == 1 else "customer",
        "store_credit": money.text(user.store_credit),
        "default_address_id": user.default_address_id,
        "created_at": iso(user.created_at),
    }


def _welcome(call: Call, user: User) -> Reply:
    token = open_session(call.session, user, request.headers.get("User-Agent"))
    return Reply({"token": token, "user": represent(user)}, cookies={COOKIE: (token, int(LIFETIME.total_seconds()))})


@blueprint.post("/api/signup")
@endpoint("Sign up; logs in as well", body=SignUp, status=201, errors=(400, 409))
def sign_up(call: Call) -> Reply:
    body = call.body
    user = User(
        email=body["email"].lower(),
        password_hash=call.shop.passwords.hash(body["password"]),
        name=body["name"],
        phone=body["phone"],
        store_credit=money.ZERO,
    )
    try:
        with call.session.begin_nested():
            call.session.add(user)
    except IntegrityError as error:
        raise conflict("email_taken", "there is an account with this address already", "email") from error
    tell(call, user, "welcome", f"welcome:{user.id}", {})
    return _welcome(call, user)


@blueprint.post("/api/login")
@endpoint("Log in: a token for the Authorization header, and the same as a cookie", body=LogIn, errors=(400, 401))
def log_in(call: Call) -> Reply:
    user = call.session.scalar(select(User).where(User.email == call.body["email"].lower(), User.deleted_at.is_(None)))
    if user is None or not call.shop.passwords.right(user.password_hash, call.body["password"]):
        raise ApiError(401, "wrong_credentials", "address or password is wrong")
    return _welcome(call, user)


@blueprint.post("/api/logout")
@endpoint("Log out", access=Access.USER, status=204, errors=(401,))
def log_out(call: Call) -> Reply:
    close_session(call.session, token_of_request() or "")
    return Reply(None, cookies={COOKIE: ("", 0)})


@blueprint.get("/api/me")
@endpoint("The account", access=Access.USER, errors=(401,))
def me(call: Call) -> dict[str, Any]:
    return represent(call.user)


@blueprint.patch("/api/me")
@endpoint("Change the account", access=Access.USER, body=AccountChange, errors=(400, 401))
def change_me(call: Call) -> dict[str, Any]:
    for name, value in call.body.items():
        setattr(call.user, name, value)
    return represent(call.user)
