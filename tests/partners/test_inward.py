"""A partner's subscribers read here: by voucher, by a signed link, until a file ends it."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.partners import make_partners as make
from tests.subscriptions import make_subscriptions as sold

from broadsheet import clock
from broadsheet.access.queries import live_grants
from broadsheet.partners import inward, tokens
from broadsheet.partners.inward import WelcomeRefusedError
from broadsheet.partners.models import Redemption, Voucher, Welcome

pytestmark = pytest.mark.django_db
NOW = make.NOW


@pytest.fixture
def welcome():
    row = Welcome(partner=make.partner(), code="month", name="A month", products=["unlimited"], lasts_days=30)
    row.by_link = True
    return inward.keep_welcome(welcome=row)


def vouchers(count=2, **more):
    values = {"expires_on": None, **more}
    return list(inward.make_vouchers(partner="post", welcome="month", count=count, now=NOW, **values))


def refused(call, **values):
    before = (Redemption.objects.count(), [row.source for row in live_grants(values["reader_id"], NOW)])
    with pytest.raises(WelcomeRefusedError) as error:
        call(now=NOW, **values)
    assert (Redemption.objects.count(), [row.source for row in live_grants(values["reader_id"], NOW)]) == before
    return error.value.reason


def test_a_voucher_opens_the_paper_for_one_reader_until_a_date(welcome):
    asha, ravi = sold.reader(), sold.reader("ravi@reader.example")
    code, other = vouchers()
    assert code not in repr(list(Voucher.objects.values()))
    made = inward.redeem_voucher(reader_id=asha, code=f" {code.lower().replace('-', ' ')} ", now=NOW)
    (held,) = live_grants(asha, NOW)
    assert (held.product, held.source) == ("unlimited", f"partner:post:{made.pk}")
    assert held.ends_at == sold.at("2027-02-09 00:00")
    assert inward.redeem_voucher(reader_id=asha, code=code, now=NOW).pk == made.pk
    assert refused(inward.redeem_voucher, reader_id=ravi, code=code) == "used"
    assert refused(inward.redeem_voucher, reader_id=ravi, code=other[:-1] + "=") == "unknown"
    assert refused(inward.redeem_voucher, reader_id=ravi, code="") == "unknown"


def test_an_expired_voucher_and_one_of_a_partner_that_is_off_open_nothing(welcome):
    asha = sold.reader()
    (old,) = vouchers(1, expires_on=(NOW - timedelta(days=1)).date())
    assert refused(inward.redeem_voucher, reader_id=asha, code=old) == "unknown"
    (code,) = vouchers(1)
    Welcome.objects.update(active=False)
    assert refused(inward.redeem_voucher, reader_id=asha, code=code) == "unknown"


def test_a_file_of_the_partner_ends_it_at_once(welcome):
    asha = sold.reader()
    used, unused = vouchers()
    inward.redeem_voucher(reader_id=asha, code=used, now=NOW)
    later = NOW + timedelta(days=2)
    outcomes = inward.revoke_lines(partner="post", lines=["code", used, unused, "NEVER-MADE", used], now=later)
    assert [(line, outcome) for line, _, outcome in outcomes] == [
        (2, "revoked"), (3, "voided"), (4, "unknown"), (5, "already"),
    ]  # fmt: skip
    assert live_grants(asha, later) == []
    with pytest.raises(WelcomeRefusedError, match="unknown"):
        inward.redeem_voucher(reader_id=sold.reader("x@reader.example"), code=unused, now=later)


def link(sub="their-77", jti="j1", now=NOW, **more):
    said = {
        "iss": "post", "aud": "http://localhost:8000", "sub": sub, "jti": jti,
        "iat": int(now.timestamp()), "exp": int(now.timestamp()) + 120, **more,
    }  # fmt: skip
    return tokens.sign(said, secret=make.SECRET.encode())


def test_a_signed_link_opens_once_and_prolongs_what_it_opened(welcome):
    asha = sold.reader()
    sealed = inward.open_link(partner="post", token=link(), now=NOW)
    with pytest.raises(WelcomeRefusedError, match="used"):
        inward.open_link(partner="post", token=link(), now=NOW)
    first = inward.redeem_pass(reader_id=asha, sealed=sealed, now=NOW)
    later = NOW + timedelta(days=20)
    again = inward.open_link(partner="post", token=link(jti="j2", now=later), now=later)
    assert inward.redeem_pass(reader_id=asha, sealed=again, now=later).pk == first.pk
    assert [row.ends_at for row in live_grants(asha, NOW)] == [sold.at("2027-03-01 00:00")]
    ravi = sold.reader("ravi@reader.example")
    third = inward.open_link(partner="post", token=link(jti="j3"), now=NOW)
    assert refused(inward.redeem_pass, reader_id=ravi, sealed=third) == "used"
    assert refused(inward.redeem_pass, reader_id=ravi, sealed=third[:-2] + "AA") == "expired"
    with pytest.raises(WelcomeRefusedError, match="expired"):
        inward.redeem_pass(reader_id=ravi, sealed=third, now=NOW + timedelta(hours=1))


def test_the_road_of_a_link_over_http(welcome, client):
    """The token leaves the address with the first answer; signing in comes between; one button opens it."""
    asha = sold.reader()
    now = clock.now()
    entered = client.get("/partners/post/enter/", {"token": link(now=now)})
    assert entered.status_code == 302
    assert "token" not in entered.url
    assert client.get(entered.url).url.startswith("/account/sign-in/?next=/partners/welcome/")
    make.client_of(asha, client)
    page = client.get(entered.url)
    assert "A month" in page.content.decode()
    assert live_grants(asha, now) == []  # looking opens nothing
    sealed = parse_qs(urlsplit(entered.url).query)["pass"][0]
    opened = client.post("/partners/welcome/", {"pass": sealed})
    assert "Welcome, reader of The Post" in opened.content.decode()
    assert [row.product for row in live_grants(asha, now)] == ["unlimited"]
    assert client.get("/partners/post/enter/", {"token": link(now=now)}).status_code == 403
    assert client.get("/partners/nobody/enter/", {"token": link(now=now)}).status_code == 403
