import base64
import json
import time
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.jose import JsonWebKey, jwt
from django.core.cache import cache

from broadsheet import clock
from broadsheet.access.actions import end_grants, grant
from broadsheet.readers.actions import end_device, end_devices
from broadsheet.readers.queries import devices_of
from tests import make
from tests.api import outside
from tests.api.outside import BACK, HOST

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


@pytest.fixture
def asha():
    return make.reader(name="Asha Rao")


def entitled(reader, *products):
    now = clock.now()
    for product in products:
        grant(reader_id=reader.pk, product=product, starts_at=now, ends_at=now + timedelta(days=30), source="test")


def apps_of(reader):
    return [row.name for row in devices_of(reader.pk) if row.client]


def userinfo(oauth):
    return oauth.get(f"{HOST}/oauth/userinfo")


def test_the_paper_says_what_it_can(client):
    told = client.get("/.well-known/openid-configuration")
    assert told.json()["issuer"] == HOST.replace("127.0.0.1", "localhost")
    assert told.json()["code_challenge_methods_supported"] == ["S256"]
    assert told.json()["response_types_supported"] == ["code"]
    assert told.json()["scopes_supported"] == list(outside.ALL)
    assert "registration_endpoint" not in told.json()
    assert told.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/.well-known/oauth-authorization-server").json() == told.json()


def test_an_outside_client_signs_in_refreshes_and_sees_the_subscription_end(asha):
    entitled(asha, "unlimited", "premium")
    oauth = outside.session(*outside.app(), nonce="n-0S6")
    token = outside.signed_in(oauth, outside.browser(asha), nonce="n-0S6")
    keys = JsonWebKey.import_key_set(oauth.get(f"{HOST}/.well-known/jwks.json", withhold_token=True).json())
    claims = jwt.decode(token["id_token"], keys)
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (HOST, oauth.client_id, "n-0S6")
    assert (claims["email"], claims["email_verified"], claims["name"]) == ("asha@reader.example", True, "Asha Rao")
    assert claims["entitlements"] == ["premium", "unlimited"]
    assert claims["exp"] - claims["iat"] == 300
    assert userinfo(oauth).json()["entitlements"] == ["premium", "unlimited"]
    renewed = oauth.refresh_token(f"{HOST}/oauth/token")
    assert renewed["refresh_token"] != token["refresh_token"]
    assert renewed["access_token"] != token["access_token"]
    end_grants(source="test", ends_at=clock.now())
    assert userinfo(oauth).json()["entitlements"] == []


def test_a_confidential_client_proves_itself_by_its_secret(asha):
    client_id, secret = outside.app(public=False, kind="partner", partner="globe")
    good = outside.session(client_id, secret)
    assert outside.signed_in(good, outside.browser(asha))["token_type"] == "Bearer"
    wrong = outside.session(client_id, secret + "x")
    with pytest.raises(OAuthError, match="invalid_client"):
        outside.signed_in(wrong, outside.browser(asha))
    without = outside.session(client_id)
    with pytest.raises(OAuthError, match="invalid_client"):
        outside.signed_in(without, outside.browser(asha))


def test_the_page_says_what_the_app_sees_and_a_reader_may_leave_things_out(asha):
    oauth = outside.session(*outside.app())
    who, verifier = outside.browser(asha), generate_token(48)
    url = outside.authorize_url(oauth, verifier)
    page = who.get(url)
    assert "asha@reader.example" in page.content.decode()
    assert "Your saved stories" in page.content.decode()
    assert "form-action 'self' https://app.example;" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "private, no-store"
    back = outside.consent(who, url, scopes=["openid", "stories"])
    token = oauth.fetch_token(authorization_response=back, code_verifier=verifier)
    assert token["scope"] == "openid stories"
    assert set(userinfo(oauth).json()) == {"sub"}


def test_no_is_no(asha):
    oauth = outside.session(*outside.app())
    back = outside.consent(outside.browser(asha), outside.authorize_url(oauth, generate_token(48)), action="deny")
    assert back.startswith(f"{BACK}?error=access_denied")
    assert apps_of(asha) == []


def test_a_visitor_is_sent_to_log_in_and_comes_back(client):
    oauth = outside.session(*outside.app())
    url = outside.authorize_url(oauth, generate_token(48))
    answer = client.get(url)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/sign-in/?next=/oauth/authorize")
    form = client.get(answer.headers["Location"]).content.decode()
    assert url.split("?")[0] in form


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "unsupported_response_type"),
        ({"scope": "openid everything"}, "invalid_scope"),
    ],
)
def test_what_is_asked_wrongly_is_told_to_the_app(asha, change, error):
    oauth = outside.session(*outside.app())
    url = outside.authorize_url(oauth, generate_token(48))
    answer = outside.browser(asha).get("/oauth/authorize", _changed(url, change))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{BACK}?error={error}")
    assert apps_of(asha) == []


def _changed(url, change):
    asked = dict(parse_qsl(urlsplit(url).query)) | change
    return {name: value for name, value in asked.items() if value is not None}


@pytest.mark.parametrize(
    "uri",
    [
        "", "https://app.example/callback/", "https://app.example/callback?x=1", "https://app.example/Callback",
        "http://app.example/callback", "https://app.example:8443/callback", "https://app.example.evil.example/callback",
        "https://evil.example/callback", "https://app.example@evil.example/callback", "https://app.example/callback#x",
        "https://app.example/a/../callback", "//app.example/callback", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_an_answer_goes_nowhere_but_where_staff_said(asha, uri):
    oauth = outside.session(*outside.app())
    url = outside.authorize_url(oauth, generate_token(48))
    answer = outside.browser(asha).get("/oauth/authorize", _changed(url, {"redirect_uri": uri}))
    assert (answer.status_code, answer.headers.get("Location")) == (400, None)
    assert b"cannot be let in" in answer.content


def test_a_program_on_the_readers_machine_may_listen_on_any_port(asha):
    oauth = outside.session(
        *outside.app(redirect_uris=["http://127.0.0.1/done"]), redirect_uri="http://127.0.0.1:51111/done"
    )
    assert outside.signed_in(oauth, outside.browser(asha))["access_token"]


def test_a_code_needs_its_verifier_and_is_burnt_by_a_wrong_one(asha):
    oauth = outside.session(*outside.app())
    verifier = generate_token(48)
    back = outside.consent(outside.browser(asha), outside.authorize_url(oauth, verifier))
    for wrong in (generate_token(48), None, verifier):
        with pytest.raises(OAuthError):
            oauth.fetch_token(authorization_response=back, code_verifier=wrong)
    assert apps_of(asha) == []


def test_a_code_is_exchanged_once_and_a_copy_ends_what_came_of_it(asha):
    oauth = outside.session(*outside.app())
    verifier = generate_token(48)
    back = outside.consent(outside.browser(asha), outside.authorize_url(oauth, verifier))
    oauth.fetch_token(authorization_response=back, code_verifier=verifier)
    assert userinfo(oauth).status_code == 200
    thief = outside.session(oauth.client_id)
    with pytest.raises(OAuthError, match="invalid_grant"):
        thief.fetch_token(authorization_response=back, code_verifier=verifier)
    assert userinfo(oauth).status_code == 401


def test_a_code_is_one_clients_alone(asha):
    oauth, other = outside.session(*outside.app()), outside.session(*outside.app(name="Another"))
    verifier = generate_token(48)
    back = outside.consent(outside.browser(asha), outside.authorize_url(oauth, verifier))
    with pytest.raises(OAuthError):
        other.fetch_token(authorization_response=back, code_verifier=verifier)


def test_the_same_refreshing_again_gets_the_same_answer_and_later_ends_everything(asha, monkeypatch):
    oauth = outside.session(*outside.app())
    first = outside.signed_in(oauth, outside.browser(asha))
    second = oauth.refresh_token(f"{HOST}/oauth/token", refresh_token=first["refresh_token"])
    again = outside.session(oauth.client_id)
    third = again.refresh_token(f"{HOST}/oauth/token", refresh_token=first["refresh_token"])
    assert third["refresh_token"] == second["refresh_token"]
    assert userinfo(oauth).status_code == 200
    later = clock.now() + timedelta(seconds=31)
    monkeypatch.setattr("broadsheet.clock.now", lambda: later)
    with pytest.raises(OAuthError, match="invalid_grant"):
        again.refresh_token(f"{HOST}/oauth/token", refresh_token=first["refresh_token"])
    assert userinfo(oauth).status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        oauth.refresh_token(f"{HOST}/oauth/token", refresh_token=second["refresh_token"])
    assert apps_of(asha) == []


def test_a_repeat_that_is_not_to_the_letter_is_a_copy(asha):
    oauth = outside.session(*outside.app())
    first = outside.signed_in(oauth, outside.browser(asha))
    oauth.refresh_token(f"{HOST}/oauth/token", refresh_token=first["refresh_token"])
    with pytest.raises(OAuthError, match="invalid_grant"):
        oauth.refresh_token(f"{HOST}/oauth/token", refresh_token=first["refresh_token"], extra="1")
    assert userinfo(oauth).status_code == 401


def test_a_refresh_token_given_back_takes_its_access_tokens_along(asha):
    oauth = outside.session(*outside.app())
    token = outside.signed_in(oauth, outside.browser(asha))
    stranger = outside.session(outside.app(name="Another")[0])
    oauth.revoke_token(f"{HOST}/oauth/revoke", token=token["refresh_token"], token_type_hint="refresh_token")
    assert userinfo(oauth).status_code == 401
    assert apps_of(asha) == []
    assert stranger.client_id != oauth.client_id


def test_another_client_cannot_revoke(asha):
    oauth = outside.session(*outside.app())
    token = outside.signed_in(oauth, outside.browser(asha))
    stranger = outside.session(outside.app(name="Another")[0])
    stranger.revoke_token(f"{HOST}/oauth/revoke", token=token["refresh_token"], token_type_hint="refresh_token")
    assert userinfo(oauth).status_code == 200


@pytest.mark.parametrize("end", ["device", "everywhere", "closed"])
def test_whoever_is_signed_out_is_signed_out_there_too(asha, end):
    oauth = outside.session(*outside.app())
    outside.signed_in(oauth, outside.browser(asha))
    (app,) = [row for row in devices_of(asha.pk) if row.client]
    assert app.name == "Broadsheet for Android"
    if end == "device":
        assert end_device(reader_id=asha.pk, device_id=app.id)
    elif end == "everywhere":
        end_devices(reader_id=asha.pk)
    else:
        asha.is_active = False
        asha.save()
    assert userinfo(oauth).status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        oauth.refresh_token(f"{HOST}/oauth/token")


def test_a_token_of_no_algorithm_or_of_another_key_is_nobodys(asha):
    oauth = outside.session(*outside.app())
    outside.signed_in(oauth, outside.browser(asha))
    b64 = _base64url
    payload = {"iss": HOST, "sub": str(asha.pk), "aud": oauth.client_id, "token_use": "access", "scope": "openid",
               "client_id": oauth.client_id, "exp": int(time.time()) + 600}  # fmt: skip
    forged = [f"{b64({'alg': 'none', 'typ': 'JWT'})}.{b64(payload)}."]
    key = JsonWebKey.generate_key("RSA", 2048, is_private=True)
    forged += [jwt.encode({"alg": "RS256", "kid": "1"}, payload, key).decode()]
    forged += [oauth.token["id_token"], oauth.token["refresh_token"], "", "x" * 5000]
    for token in forged:
        answer = oauth.get(f"{HOST}/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}, withhold_token=True)
        assert answer.status_code == 401, token[:40]


def _base64url(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_silence_is_for_apps_that_were_let_in_before(asha):
    first, other = outside.session(*outside.app()), outside.session(*outside.app(name="Another"))
    who = outside.browser(asha)
    outside.signed_in(first, who)
    again = who.get(outside.authorize_url(first, generate_token(48), prompt="none"))
    assert again.headers["Location"].startswith(f"{BACK}?code=")
    refused = who.get(outside.authorize_url(other, generate_token(48), prompt="none"))
    assert refused.headers["Location"].startswith(f"{BACK}?error=consent_required")


def test_introspection_tells_a_client_of_its_own_tokens(asha):
    mine, theirs = outside.app(public=False, kind="partner", partner="globe"), outside.app(public=False, name="Other")
    oauth = outside.session(*mine)
    token = outside.signed_in(oauth, outside.browser(asha))
    url = f"{HOST}/oauth/introspect"
    told = oauth.introspect_token(url, token=token["access_token"]).json()
    assert (told["active"], told["client_id"]) == (True, mine[0])
    assert told["sub"] == userinfo(oauth).json()["sub"]
    assert outside.session(*theirs).introspect_token(url, token=token["access_token"]).json() == {"active": False}
    asha.is_active = False
    asha.save()
    assert oauth.introspect_token(url, token=token["access_token"]).json() == {"active": False}


def test_a_television_signs_in_by_a_code_on_another_screen(asha, monkeypatch):
    client_id, _ = outside.app(name="Living room", redirect_uris=[], tv=True)
    tv = outside.session(client_id)
    started = tv.post(f"{HOST}/oauth/device", {"client_id": client_id, "scope": "openid stories"}, withhold_token=True)
    told = started.json()
    assert told["verification_uri"].endswith("/device/")
    assert len(told["user_code"].replace("-", "")) == 8

    def poll():
        answer = tv.post(f"{HOST}/oauth/token", {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": client_id,
            "device_code": told["device_code"]}, withhold_token=True)  # fmt: skip
        return answer.status_code, answer.json()

    assert poll() == (400, {"error": "authorization_pending"})
    assert poll()[1] == {"error": "slow_down"}
    who = outside.browser(asha)
    assert "not a code that waits" in who.get("/device/", {"code": "BBBB-BBBB"}).content.decode()
    page = who.get("/device/", {"code": told["user_code"].lower()})
    assert "Living room" in page.content.decode()
    careful = outside.Browser(enforce_csrf_checks=True)
    careful.cookies = who.cookies
    assert careful.post(f"/device/?code={told['user_code']}", {"action": "confirm"}).status_code == 403
    assert (
        "You are logged in there"
        in who.post(f"/device/?code={told['user_code']}", {"action": "confirm"}).content.decode()
    )
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() + 6)
    status, token = poll()
    assert (status, token["scope"]) == (200, "openid stories")
    assert poll() == (200, token)  # the first answer was lost on its way
    assert apps_of(asha) == ["Living room"]


def test_partners_cannot_compare_their_readers(asha):
    mine, theirs = (outside.app(public=False, kind="partner", partner=name, name=name) for name in ("globe", "tribune"))
    sessions = [
        outside.session(*mine),
        outside.session(*theirs),
        outside.session(*mine),
        outside.session(*outside.app()),
    ]
    for one in sessions:
        outside.signed_in(one, outside.browser(asha))
    a, b, again, app = (userinfo(one).json()["sub"] for one in sessions)
    assert (a == again, a != b, app) == (True, True, str(asha.pk))
    assert str(asha.pk) not in (a, b)
    assert userinfo(sessions[0]).json()["entitlements"] == []
    told = sessions[0].get(f"{HOST}/api/v1/entitlements").json()
    assert (told["partner"], told["offers"], "products" in told) == ("globe", [], False)


def test_logging_out_of_an_app_ends_its_tokens_and_asks_about_here(asha):
    oauth = outside.session(*outside.app(logout_uris=["https://app.example/bye"]))
    who = outside.browser(asha)
    token = outside.signed_in(oauth, who)
    asked = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": "https://app.example/bye", "state": "s1"}
    page = who.get("/oauth/logout", asked)
    assert "Log out here too?" in page.content.decode()
    elsewhere = who.get("/oauth/logout", {**asked, "post_logout_redirect_uri": "https://evil.example/"})
    assert "cannot be let in" in elsewhere.content.decode()
    stranger = outside.Browser(enforce_csrf_checks=True)
    stranger.cookies = who.cookies
    assert stranger.post("/oauth/logout", {**asked, "action": "logout"}).status_code in (200, 403)
    assert userinfo(oauth).status_code == 200
    back = who.post("/oauth/logout", {**asked, "action": "stay", "csrfmiddlewaretoken": "x"})
    assert (back.status_code, back.headers["Location"]) == (302, "https://app.example/bye?state=s1")
    assert userinfo(oauth).status_code == 401
    assert who.get("/account/").status_code == 200
