"""Token exchange, whole: a partner's site signs a subscriber in with this paper and asks what they may have."""

from datetime import timedelta

import pytest
from authlib.integrations.base_client.errors import OAuthError
from django.core.cache import cache

from broadsheet import clock
from broadsheet.access.actions import end_grants, grant
from broadsheet.partners import actions as partners
from broadsheet.readers.queries import devices_of
from tests import make
from tests.api import outside
from tests.api.outside import HOST
from tests.partners import make_partners

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


def test_a_partner_hears_of_its_own_offer_until_the_subscription_ends():
    asha, now = make.reader(name="Asha Rao"), clock.now()
    client_id, secret = outside.app(
        name="The Ardenwick Post", public=False, kind="partner", partner="post", scopes=("openid", "entitlements")
    )
    make_partners.offer(make_partners.partner("post"), kind="token", grace_days=0)
    for product in ("partner", "premium"):
        grant(reader_id=asha.pk, product=product, starts_at=now, ends_at=now + timedelta(days=30), source="test")
    partners.claim(reader_id=asha.pk, partner="post", offer="all", now=now)
    site = outside.session(client_id, secret, scope="openid entitlements")
    outside.signed_in(site, outside.browser(asha))
    assert site.get(f"{HOST}/oauth/userinfo").json()["entitlements"] == ["all"]
    told = site.get(f"{HOST}/api/v1/entitlements").json()
    assert [(one["offer"], one["until"] is not None) for one in told["offers"]] == [("all", True)]
    assert "products" not in told
    site.refresh_token(f"{HOST}/oauth/token")
    end_grants(source="test", ends_at=clock.now())
    assert site.get(f"{HOST}/api/v1/entitlements").json()["offers"] == []
    assert site.get(f"{HOST}/oauth/userinfo").json()["entitlements"] == []
    make_partners.partner("tribune")
    other = outside.app(
        name="Tribune", public=False, kind="partner", partner="tribune", scopes=("openid", "entitlements")
    )
    stranger = outside.session(*other, scope="openid entitlements")
    outside.signed_in(stranger, outside.browser(asha))
    assert stranger.get(f"{HOST}/api/v1/entitlements").json()["offers"] == []
    asha.is_active = False
    asha.save()
    with pytest.raises(OAuthError, match="invalid_grant"):
        site.refresh_token(f"{HOST}/oauth/token")
    assert site.get(f"{HOST}/api/v1/entitlements").status_code == 401
    assert len([row for row in devices_of(asha.pk) if row.client]) == 2
