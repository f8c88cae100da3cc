"""Staff's screens: stock with a report, the files, one reader's claims; nothing for who lacks the permission."""

import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from tests.partners import make_partners as make

from broadsheet import clock
from broadsheet.partners import actions, stocking
from broadsheet.partners.models import Claim, Code, Offer, Partner
from broadsheet.readers.models import Reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def post():
    make.plan()
    return make.partner()


def staff(*codes):
    row = Reader.objects.create(email=f"desk{len(codes)}@paper.example", is_staff=True, created_at=make.NOW)
    group = Group.objects.create(name=f"desk {len(codes)}")
    group.permissions.set(
        [Permission.objects.get(codename="access_admin"), *Permission.objects.filter(codename__in=codes)]
    )
    row.groups.add(group)
    return make.client_of(row.pk, Client())


@pytest.fixture
def desk():
    return staff("change_partner", "add_partner", "change_offer", "add_offer")


def test_a_file_is_put_in_and_every_line_told(desk, post):
    offer = make.offer(post)
    file = io.BytesIO(b"code,expires\nA1,\nA1,\n\nB2,2001-01-01\n")
    file.name = "codes.csv"
    page = desk.post(f"/admin/partner-titles/{offer.pk}/stock/", {"file": file}).content.decode()
    for said in ("Added: 1", "Stands twice in this file: 1", "Empty line: 1", "Has expired: 1"):
        assert said in page
    assert Code.objects.count() == 1
    again = desk.post(f"/admin/partner-titles/{offer.pk}/stock/", {"text": ""})
    assert again.status_code == 400
    bad = io.BytesIO(b"\xff\xfe\x00")
    bad.name = "x"
    assert "not UTF-8" in desk.post(f"/admin/partner-titles/{offer.pk}/stock/", {"file": bad}).content.decode()
    assert Code.objects.count() == 1


def test_the_files_and_a_readers_claims(desk, post):
    now = clock.now()
    make.codes(make.offer(post), 2, now)
    reader = make.subscriber(now=now)
    made = actions.claim(reader_id=reader, partner="post", offer="all", now=now)
    assert "The Post" in desk.get("/admin/partner-titles/").content.decode()
    report = b"".join(desk.get(f"/admin/partner-titles/post/report.csv?month={now:%Y-%m}").streaming_content).decode()
    assert "CODE-0000" in report
    assert desk.get("/admin/partner-titles/post/report.csv?month=x").status_code == 404
    found = desk.get("/admin/partner-titles/claims/?q=asha@reader.example").content.decode()
    assert Claim.objects.get().subject in found
    assert "CODE-" not in found  # its owner's alone
    desk.post(f"/admin/partner-titles/claims/{made}/revoke/")
    assert Claim.objects.get().end_reason == "revoked"
    ended = b"".join(desk.get("/admin/partner-titles/post/ended.csv").streaming_content).decode()
    assert "CODE-0000" in ended
    desk.post("/admin/partner-titles/post/ended.csv", {"last": str(made)})
    assert Claim.objects.get().report == "done"
    file = io.BytesIO(b"code,status\nCODE-0000,active\n")
    file.name = "s.csv"
    compared = desk.post("/admin/partner-titles/post/reconcile/", {"file": file}).content.decode()
    assert "Runs there, and ended here" in compared


def test_who_lacks_the_permission_sees_and_does_nothing(post):
    offer = make.offer(post)
    plain = staff("change_offer")
    for path in ("", "claims/", f"{offer.pk}/stock/", "post/ended/", "post/ended.csv", "post/reconcile/"):
        answer = plain.get(f"/admin/partner-titles/{path}")
        assert answer.status_code in (302, 403), path
        assert "The Post" not in answer.content.decode()
    plain.post(f"/admin/partner-titles/{offer.pk}/stock/", {"text": "A1"})
    assert not Code.objects.exists()


def test_a_secret_is_written_and_never_read(desk):
    form = {"name": "The Post", "code": "post", "position": "0", "active": "on", "new_secret": "short"}
    assert "At least 16 characters" in desk.post("/admin/partner-papers/new/", form).content.decode()
    assert not Partner.objects.exists()
    secret = "a secret that is long enough"
    assert desk.post("/admin/partner-papers/new/", {**form, "new_secret": secret}).status_code == 302
    row = Partner.objects.get()
    assert stocking.secret_of(row) == secret.encode()
    assert secret not in desk.get(f"/admin/partner-papers/edit/{row.pk}/").content.decode()
    desk.post(f"/admin/partner-papers/edit/{row.pk}/", {**form, "name": "The Daily Post", "new_secret": ""})
    row.refresh_from_db()
    assert (row.name, stocking.secret_of(row)) == ("The Daily Post", secret.encode())
    insecure = {**form, "new_secret": secret, "code": "other", "report_url": "http://partner.example/hook"}
    assert "https://" in desk.post("/admin/partner-papers/new/", insecure).content.decode()
    assert Partner.objects.count() == 1


def test_the_banner_stands_while_a_pool_is_low(desk, post):
    now = clock.now()
    offer = make.offer(post, low_stock=3)
    make.codes(offer, 2, now)
    assert "running out" not in desk.get("/admin/").content.decode()
    actions.watch_stock(offer_id=offer.pk, now=now)
    assert "running out" in desk.get("/admin/").content.decode()
    Offer.objects.update(active=False)
    assert "running out" not in desk.get("/admin/").content.decode()
