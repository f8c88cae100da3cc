"""A paper whose address is https, behind a proxy that ends TLS: nothing is served in the clear."""

import pytest
from tests.papers import Paper

HOST = {"Host": "news.example"}
TLS = {**HOST, "X-Forwarded-Proto": "https"}


def start(folder, **options):
    made = Paper(folder, public_url="https://news.example", **options).init()
    (story,) = made.stories({"headline": "Over the wire"})
    made.path = story["path"]
    made.ready_headers = TLS
    return made.start()


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory):
    made = start(tmp_path_factory.mktemp("https") / "data", trusted_proxies="127.0.0.1")
    yield made
    made.stop()


def test_what_came_over_tls_is_served_with_secure_cookies(behind_a_proxy):
    for path in (behind_a_proxy.path, "/", "/account/sign-in/"):
        reply = behind_a_proxy.browser().request("GET", path, TLS)
        assert reply.status == 200, path
    cookie = behind_a_proxy.browser().request("GET", behind_a_proxy.path, TLS).headers["Set-Cookie"]
    assert cookie.startswith("__Host-bsm=")
    assert "; Secure" in cookie


@pytest.mark.parametrize("headers", [HOST, {**HOST, "X-Forwarded-Proto": "http"},
                                     {**HOST, "X-Forwarded-Proto": "https, http"}])  # fmt: skip
def test_what_came_in_the_clear_is_refused(behind_a_proxy, headers):
    for path in (behind_a_proxy.path, "/", "/account/sign-in/"):
        reply = behind_a_proxy.browser().request("GET", path, headers)
        assert (reply.status, "https alone" in reply.text) == (403, True), path
        assert "Set-Cookie" not in reply.headers


def test_a_proxy_nobody_listed_is_not_believed(tmp_path):
    made = start(tmp_path / "data", trusted_proxies="10.0.0.0/8")
    try:
        assert made.browser().request("GET", made.path, TLS).status == 403
    finally:
        made.stop()
