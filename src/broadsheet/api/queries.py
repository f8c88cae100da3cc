"""What an app may know of its reader, and who an access token is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Client, Token

from broadsheet.access.queries import live_grants
from broadsheet.api.models import Spent
from broadsheet.partners.queries import entitlements_for

SCOPES: Mapping[str, tuple[str, str]] = {
    "openid": ("That you are a reader", "A number that stands for your account."),
    "email": ("Your email address", "The one you log in with."),
    "profile": ("Your name", "As it stands in your account, if it does."),
    "entitlements": ("What your subscription includes", "And until when. Neither payments nor invoices."),
    "stories": ("Reading in your name", "Stories open as they do for you here, and count as they do here."),
    "epaper": ("The e-paper in your name", "Its pages open where your subscription includes them."),
    "saved": ("Your saved stories", "The app sees them, adds to them and removes from them."),
}
"""Each scope as the page of consent says it: what the app gets, and what that means."""
ALWAYS = frozenset({"openid"})  # an app that may not even know this has nothing to ask for
KINDS = {"app": "App", "partner": "Partner"}


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A registered app or partner. `partner`: the code of the partner it belongs to, "" for an app. `rate`: requests a
    minute of its own, 0 is the option's. `public`: it keeps no secret and must prove itself by PKCE."""

    id: str
    name: str
    kind: str
    partner: str
    public: bool
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    rate: int
    created_at: datetime
    logout_uris: tuple[str, ...] = ()
    tv: bool = False


def client_row(row: Any) -> ClientRow:
    data = row.data if isinstance(row.data, dict) else {}
    return ClientRow(
        id=row.pk,
        name=row.name,
        kind=data.get("kind", "app"),
        partner=data.get("partner", ""),
        public=row.type == Client.Type.PUBLIC,
        redirect_uris=tuple(row.get_redirect_uris()),
        scopes=tuple(row.get_scopes()),
        rate=int(data.get("rate", 0)),
        created_at=row.created_at,
        logout_uris=tuple(row.get_post_logout_redirect_uris()),
        tv=Client.GrantType.DEVICE_CODE in row.get_grant_types(),
    )


def client(client_id: str) -> ClientRow | None:
    row = Client.objects.filter(pk=client_id).first()
    return client_row(row) if row else None


def clients() -> Sequence[ClientRow]:
    """Every registered client, by name. A publisher has dozens, not thousands."""
    return [client_row(row) for row in Client.objects.order_by("name", "pk")]


@dataclass(frozen=True, slots=True)
class Entitlement:
    product: str
    until: datetime | None


def entitlements(reader_id: int, now: datetime) -> Sequence[Entitlement]:
    """The products a reader holds at `now`, each with the latest end of its grants (None: open), in order."""
    held: dict[str, datetime | None] = {}
    for row in live_grants(reader_id, now):
        if row.starts_at > now:
            continue
        before = held.get(row.product, row.ends_at)
        held[row.product] = None if before is None or row.ends_at is None else max(before, row.ends_at)
    return [Entitlement(product, held[product]) for product in sorted(held)]


def entitled_to(to: ClientRow, reader_id: int, now: datetime) -> list[str]:
    """In a word or two, for a token: an app hears products, a partner hears of its own offers and of nothing else."""
    if to.kind == "partner":
        return [one.offer for one in entitlements_for(to.partner or to.id, reader_id, now)]
    return [one.product for one in entitlements(reader_id, now)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose access token came: the reader, the app, and what the reader let it do. `device`: which signing in,
    `subject`: what this client calls the reader."""

    reader: int
    email: str
    name: str
    staff: bool
    client: ClientRow
    scopes: frozenset[str]
    device: str
    subject: str = ""


def caller_of(value: str) -> Caller | None:
    """Who shows this access token; None when it is none of ours, has ended, or its reader's account is closed.

    Two steps on an index, however many tokens there are.
    """
    row = Token.objects.select_related("user", "client").lookup(Token.Type.ACCESS_TOKEN, value)
    if row is None or row.user is None or row.client is None or not row.user.is_active:
        return None
    data = row.data if isinstance(row.data, dict) else {}
    return Caller(
        reader=row.user.pk,
        email=row.user.email,
        name=row.user.name,
        staff=row.user.is_staff,
        client=client_row(row.client),
        scopes=frozenset(row.get_scopes()),
        device=data.get("device", ""),
        subject=get_adapter().get_user_sub(row.client, row.user),
    )


def token_device(kind: str, value: str) -> str:
    """The device that a token (kind: "at" access, "rt" refresh) of this value lets in; "" for none."""
    row = Token.objects.lookup(kind, value)
    return str(row.data.get("device", "")) if row and isinstance(row.data, dict) else ""


def spent(digest: str) -> Spent | None:
    return Spent.objects.filter(digest=digest).first()


def granted_scopes(reader_id: int, client_id: str) -> frozenset[str]:
    """What the reader has let this one app do and it can still do."""
    rows = Token.objects.valid().filter(user_id=reader_id, client_id=client_id, type=Token.Type.REFRESH_TOKEN)
    return frozenset(scope for row in rows for scope in row.get_scopes())
