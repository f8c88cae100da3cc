"""The pages, as subscriber, as registered reader and as visitor."""

import re
from datetime import timedelta

import pytest
from authlib.jose import JsonWebKey, JsonWebToken
from django.test import Client
from tests.partners import make_partners as make
from tests.subscriptions import make_subscriptions as sold

from broadsheet import clock
from broadsheet.partners.models import Claim

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return clock.now()


@pytest.fixture
def post(now):
    make.plan()
    row = make.partner(words="A paper from abroad.")
    make.codes(make.offer(row, parts="News | of the world\nPuzzles"), 3, now)
    return row


@pytest.fixture
def asha(post, now):
    return make.client_of(make.subscriber(now=now - timedelta(days=2)), Client())


@pytest.fixture
def kiran(post):
    return make.client_of(sold.reader("kiran@reader.example"), Client())


def main(answer):
    return re.search(r"<main.*?</main>", answer.content.decode(), flags=re.DOTALL).group()


def test_two_clicks_to_a_code(asha):
    listed = asha.get("/account/partners/")
    assert "Puzzles" in main(listed)
    assert listed.headers["Cache-Control"] == "private, no-store"
    path = re.search(r'href="(/account/partners/post/all/)"', main(listed)).group(1)
    assert "CODE-" not in main(asha.get(path))
    answer = asha.post(path)
    assert answer.url == path
    shown = asha.get(path)
    assert "CODE-0000" in main(shown)
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert "CODE-0000" not in main(asha.get("/account/partners/"))


def test_nobody_elses_code_is_shown(asha, kiran):
    asha.post("/account/partners/post/all/")
    for answer in (kiran.get("/account/partners/post/all/"), kiran.post("/account/partners/post/all/")):
        assert "CODE-" not in answer.content.decode()
        assert "Your plan does not include partner titles." in main(answer)
    assert Claim.objects.count() == 1


def test_a_reader_without_it_sees_the_same_whatever_is_in_stock(kiran, asha, post):
    def seen():
        return [
            re.sub(r'value="[^"]{20,}"', "", main(kiran.get(path)))
            for path in ("/account/partners/", "/account/partners/post/all/")
        ]

    before = seen()
    for _ in range(2):
        asha.post("/account/partners/post/all/")
    make.codes(make.Offer.objects.get(), 9, prefix="MORE")
    assert seen() == before


def test_a_visitor_is_asked_to_sign_in_and_unknown_titles_do_not_exist(post, asha):
    for path in ("/account/partners/", "/account/partners/post/all/", "/account/partners/post/none/"):
        assert Client().get(path).url == f"/account/sign-in/?next={path}"
    assert asha.get("/account/partners/post/none/").status_code == 404
    assert asha.post("/account/partners/none/all/").status_code == 404


def test_an_empty_pool_is_told_and_not_a_fault(asha, now):
    other = make.client_of(make.subscriber("ravi@reader.example", now=now), Client())
    make.Code.objects.filter(pk__gt=make.Code.objects.order_by("pk").first().pk).delete()
    asha.post("/account/partners/post/all/")
    answer = other.post("/account/partners/post/all/")
    assert answer.status_code == 409
    assert "All codes are given out" in main(answer)


@pytest.mark.parametrize("signature", ["HS256", "EdDSA"])
def test_a_signed_link_is_made_when_it_is_followed(asha, post, signature, now):
    make.offer(post, "link", "room", url="https://post.example/in?from=us", signature=signature)
    assert asha.get("/account/partners/post/room/go/").url == "/account/partners/"  # not claimed yet
    asha.post("/account/partners/post/room/")
    gone = asha.get("/account/partners/post/room/go/")
    assert gone.status_code == 303
    assert gone.url.startswith("https://post.example/in?from=us&token=")
    keys = Client().get("/partners/keys.json").json()
    key = make.SECRET if signature == "HS256" else JsonWebKey.import_key_set(keys)
    said = JsonWebToken([signature]).decode(gone.url.partition("token=")[2], key)
    assert said["sub"] == Claim.objects.get().subject
    assert said["aud"] == "post"
    assert said["exp"] - said["iat"] == 300
    assert "asha" not in repr(said)
    Claim.objects.update(ended_at=now)
    assert asha.get("/account/partners/post/room/go/").url == "/account/partners/"


def test_a_voucher_that_is_not_one_is_refused_in_words(kiran):
    answer = kiran.post("/partners/redeem/", {"code": "<b>"})
    assert answer.status_code == 409
    assert "not one of ours" in main(answer)
    assert "<b>" not in main(answer)
