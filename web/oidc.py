"""Signing in through a provider (OIDC): code with PKCE; state and nonce stand in the signed cookie of this browser."""

import logging
from functools import lru_cache
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask import session as cookie
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from config.settings import settings
from database.engine import transaction
from models.permissions import Permission, require_permission
from services import identities, known_devices, sessions, sudo
from services.identities import Identity
from services.sessions import SECOND_STEP_LASTS
from web.errors import refusal
from web.forms import check_token, former_session, safe_next, with_device, with_session
from web.guard import public
from web.identity import current_session, visitor

logger = logging.getLogger(__name__)
blueprint = Blueprint("oidc", __name__)

PLAN = "oidc"  # what the browser set out for
TIMEOUT = 10  # seconds that an answer of the provider may take
LEEWAY = 60  # seconds by which its clock may be off
JUST_NOW = 300  # seconds within which somebody must have signed in there to confirm who they are
# Keys that only the provider has: with a shared secret or none, anybody could write a token.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
WELL_KNOWN = "/.well-known/openid-configuration"
AWAY = "The provider does not answer. Try again, or sign in with your password."
NOT_ACCEPTED = "The provider's answer was not accepted. Begin again on the sign-in page."


class NotAccepted(Exception):
    """An answer of the provider that proves nothing; the text is for the log."""


def _faults() -> tuple[type[Exception], ...]:
    """What a provider that is away, wrong or lying makes the library raise."""
    from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
    from joserfc.errors import JoseError
    from requests import RequestException

    return RequestException, AuthlibBaseError, JoseError, NotAccepted, ValueError, KeyError, RuntimeError


def is_configured() -> bool:
    """Whether an operator has named a provider."""
    return settings().oidc_issuer is not None


def provider_name() -> str:
    """What people call the provider; empty where there is none."""
    return settings().oidc_name if is_configured() else ""


@blueprint.app_context_processor
def offered() -> dict[str, str]:
    """The provider's name for the sign-in page."""
    return {"oidc_name": provider_name()}


@lru_cache(maxsize=1)
def _client(issuer: str, client_id: str, secret: str) -> Any:
    # Only now, as where no provider is configured nobody needs it: 7 MB.
    from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App  # type: ignore[import-untyped]

    return FlaskOAuth2App(
        FlaskIntegration("oidc"),
        "oidc",
        client_id=client_id,
        client_secret=secret,
        server_metadata_url=issuer.rstrip("/") + WELL_KNOWN,
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT,
        },
    )


def _provider() -> Any:
    """The client, once the provider's own description names the issuer that was configured."""
    chosen = settings()
    secret = chosen.oidc_client_secret
    client = _client(chosen.oidc_issuer or "", chosen.oidc_client_id or "", secret.get_secret_value() if secret else "")
    described = client.load_server_metadata()
    if described.get("issuer") != chosen.oidc_issuer:
        raise NotAccepted("the provider's description names another issuer")
    described["id_token_signing_alg_values_supported"] = list(ALGORITHMS)
    return client


def _set_out(purpose: str, target: str, **asked: Any) -> AnyResponse:
    if not is_configured():
        return refusal(404)
    try:
        cookie[PLAN] = {"purpose": purpose, "next": target, "session": _session_id()}
        went: AnyResponse = _provider().authorize_redirect(settings().address + url_for("oidc.come_back"), **asked)
    except _faults() as error:
        logger.warning("the OIDC provider cannot be used: %s", type(error).__name__)
        return refusal(503, AWAY)
    return went


def _session_id() -> int | None:
    return current_session().session_id if current_user.is_authenticated else None


@blueprint.get("/login/oidc")
@public
def sign_in() -> AnyResponse:
    """Off to the provider; who is signed in already goes on."""
    target = safe_next(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target)
    return _set_out("sign in", target)


@blueprint.post("/login/oidc/link")
@require_permission(Permission.MANAGE_OWN_ACCOUNT)
def link() -> AnyResponse:
    """Off to the provider, to sign in with its account as well from then on."""
    check_token()
    sudo.require(current_session())
    return _set_out("link", "/account/security")


@blueprint.get("/login/oidc/confirm")
@require_permission(Permission.MANAGE_OWN_ACCOUNT)
def confirm() -> AnyResponse:
    """Off to the provider, to prove once more who this is."""
    return _set_out("confirm", safe_next(request.args.get("next")), prompt="login", max_age=0)


@blueprint.get("/login/oidc/callback")
@public
def come_back() -> AnyResponse:
    """What the provider says, checked, and then what the browser set out for."""
    plan = cookie.pop(PLAN, None)
    if not is_configured() or not isinstance(plan, dict):
        return refusal(400, NOT_ACCEPTED)
    try:
        claims = _checked_claims()
        identity = identities.identity_of(claims)
    except _faults() as error:
        logger.warning("an answer of the OIDC provider was not accepted: %s", type(error).__name__)
        with transaction() as session:
            sessions.note(session, None, visitor(), "not accepted", method="oidc")
        return refusal(401, NOT_ACCEPTED)
    except identities.Refused as error:
        return _refused(error)
    target = safe_next(plan.get("next"))
    try:
        if plan.get("purpose") == "sign in":
            return _let_in(identity, target)
        if not current_user.is_authenticated:
            return refusal(401)
        if plan.get("session") != _session_id():  # whoever set out has left, and somebody else uses this browser
            return refusal(400, NOT_ACCEPTED)
        return _linked(identity, target) if plan.get("purpose") == "link" else _confirmed(identity, claims, target)
    except identities.Refused as error:
        return _refused(error)


def _checked_claims() -> dict[str, Any]:
    """The claims of the ID token: signature, issuer, audience, nonce, times and state are as they must be."""
    client, chosen = _provider(), settings()
    named = request.args.get("iss")
    if named is not None and named != chosen.oidc_issuer:
        raise NotAccepted("the answer names another issuer")
    if not request.args.get("code"):
        raise NotAccepted("the answer has no code")
    token = client.authorize_access_token(
        claims_options={
            "iss": {"essential": True, "value": chosen.oidc_issuer},
            "aud": {"essential": True, "value": chosen.oidc_client_id},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "nonce": {"essential": True},
        },
        leeway=LEEWAY,
    )
    claims = token.get("userinfo")
    if not claims:
        raise NotAccepted("the answer has no ID token that was checked")
    if isinstance(claims.get("aud"), list) and claims["aud"] != [chosen.oidc_client_id]:
        raise NotAccepted("the ID token is for others as well")
    return dict(claims)


def _let_in(identity: Identity, target: str) -> AnyResponse:
    who, former = visitor(), former_session()
    with transaction() as session:
        user = identities.user_of(session, identity)
        opened = sessions.let_in(session, user, who, method="oidc")
        if former is not None:
            sessions.end(session, former, "signed in again")
        device = None if opened.second_step else known_devices.remember(session, user.id, who)
    if opened.second_step:
        return with_session(redirect(url_for("second_step.form", next=target)), opened.token, SECOND_STEP_LASTS)
    return with_device(with_session(redirect(target), opened.token), device)


def _linked(identity: Identity, target: str) -> AnyResponse:
    signed_in = current_session()
    sudo.require(signed_in)
    with transaction() as session:
        identities.link(session, signed_in.actor, identity)
    return redirect(target)


def _confirmed(identity: Identity, claims: dict[str, Any], target: str) -> AnyResponse:
    """The same person, who has typed something there just now and is not only still signed in there."""
    signed_in = current_session()
    since = identities.seconds_since(claims.get("auth_time"))
    if since is None or since > JUST_NOW:
        raise identities.Refused("The provider did not ask you who you are, so this proves nothing.")
    with transaction() as session:
        identities.require_own(session, signed_in.actor, identity)
        sudo.confirm(session, signed_in, "oidc")
        token = sudo.renew_token(session, signed_in)
    return with_session(redirect(target), token)


def _refused(error: identities.Refused) -> AnyResponse:
    with transaction() as session:
        actor = current_session().actor if current_user.is_authenticated else None
        sessions.note(session, None if actor is None else actor.user_id, visitor(), str(error)[:255], method="oidc")
    return refusal(error.status_code, str(error))
