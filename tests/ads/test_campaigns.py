"""Campaigns: kept and told to the gates, refused with nothing changed, seen, clicked on."""

import json
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from PIL import Image
from tests import make
from tests.make import NOW

from broadsheet import clock
from broadsheet.ads import actions, jobs, queries
from broadsheet.ads.actions import file_campaign
from broadsheet.ads.models import Campaign, Creative, DayCount
from broadsheet.ads.values import CampaignPlan, CreativePlan
from broadsheet.bus.models import Notice
from broadsheet.bus.queries import standing

pytestmark = pytest.mark.django_db
WORDS = CreativePlan("https://shop.example/a", headline="Lamps", text="For dark evenings.", action="Look")
PLAN = CampaignPlan("Lamps in winter", "Lamp & Sons", (WORDS,), ("top", "feed"), NOW)


@pytest.fixture(autouse=True)
def ads_on(settings, monkeypatch, tmp_path):
    settings.BROADSHEET = replace(settings.BROADSHEET, ads=True, ads_sample=10)
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(clock, "now", lambda: NOW)
    actions.write_seen()  # what another test may have left


def drawn(width, height, kind="PNG"):
    file = BytesIO()
    Image.new("RGB", (width, height), "navy").save(file, kind)
    return file.getvalue()


def posted():
    return {one["id"]: one for one in standing("ads")["campaigns"]}


def test_an_approved_campaign_is_told_to_the_gates_as_numbers_and_words():
    made = file_campaign(plan=replace(PLAN, ends_at=NOW + timedelta(days=2), frequency_cap=3), now=NOW)
    creative = Creative.objects.get()
    assert posted() == {
        made: {
            "id": made, "kind": "direct", "weight": 10, "cap": 3, "start": int(NOW.timestamp()),
            "end": int(NOW.timestamp()) + 2 * 86400, "slots": ["top", "feed"], "sections": [], "devices": [],
            "creatives": [{
                "id": creative.pk, "headline": "Lamps", "text": "For dark evenings.", "action": "Look",
                "by": "Lamp & Sons",
            }],
        }
    }  # fmt: skip
    assert file_campaign(plan=PLAN, now=NOW) == made
    assert Notice.objects.filter(kind="standing", key="ads").count() == 1
    assert not Notice.objects.filter(kind__in=("edition", "page")).exists()


def test_drafts_and_what_has_ended_are_not_told():
    file_campaign(plan=replace(PLAN, state="draft"), now=NOW)
    assert posted() == {}
    made = file_campaign(plan=replace(PLAN, name="B", ends_at=NOW + timedelta(hours=1)), now=NOW)
    assert set(posted()) == {made}
    actions.post_campaigns(now=NOW + timedelta(hours=1))
    assert posted() == {}


def test_removed_or_stopped_it_is_gone_from_the_gates():
    first, second = (file_campaign(plan=replace(PLAN, name=name), now=NOW) for name in "AB")
    campaign = Campaign.objects.get(pk=first)
    campaign.state = "stopped"
    actions.keep_campaign(campaign=campaign, now=NOW)
    assert set(posted()) == {second}
    actions.drop_campaign(campaign=Campaign.objects.get(pk=second), now=NOW)
    assert posted() == {}


def test_the_job_tells_the_gates_of_another_sample_once(settings):
    file_campaign(plan=PLAN, now=NOW)
    before = Notice.objects.count()
    jobs.post_again()
    assert Notice.objects.count() == before
    settings.BROADSHEET = replace(settings.BROADSHEET, ads_sample=3)
    jobs.post_again()
    jobs.post_again()
    assert Notice.objects.count() == before + 1
    assert standing("ads")["sample"] == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"creatives": (replace(WORDS, url="http://shop.example/"),)}, "https://"),
        ({"creatives": (replace(WORDS, url="/subscribe/"),)}, "https://"),
        ({"creatives": ()}, "an advertisement"),
        ({"slots": ()}, "has a slot"),
        ({"slots": ("roof",)}, "Choose from the list"),
        ({"ends_at": NOW}, "ends after"),
        ({"weight": 0}, "greater than or equal to 1"),
        ({"creatives": (replace(WORDS, headline=""),)}, "Upload a picture or write"),
        ({"creatives": (replace(WORDS, printed=True),)}, "own campaigns without an end"),
        (
            {"creatives": (replace(WORDS, picture="a.png", content=drawn(300, 600), alt="x"),)},
            "The picture is 300 x 600",
        ),
        ({"creatives": (replace(WORDS, picture="a.png", content=drawn(728, 90)),)}, "Say what the picture says"),
        ({"creatives": (replace(WORDS, picture="a.png", content=b"\x89PNG no", alt="x"),)}, "no PNG"),
        ({"creatives": (replace(WORDS, picture="a.png", content=bytes(200_001), alt="x"),)}, "are the most"),
        ({"creatives": (replace(WORDS, picture="a.svg", content=b"<svg width='9'>", alt="x"),)}, "width and a height"),
        ({"creatives": (replace(WORDS, picture="a.exe", content=b"MZ" * 90, alt="x"),)}, "no PNG"),
    ],
)
def test_what_may_not_run_is_refused_with_nothing_changed(change, words):
    with pytest.raises(ValidationError) as refused:
        file_campaign(plan=replace(PLAN, **change), now=NOW)
    assert words in str(refused.value)
    assert (Campaign.objects.count(), Creative.objects.count(), standing("ads")) == (0, 0, None)


@pytest.mark.parametrize(("name", "content"), [
    ("a.png", drawn(728, 90)), ("b.JPG", drawn(1456, 180, "JPEG")), ("c.webp", drawn(728, 90, "WEBP")),
    ("d.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="728" height="90"></svg>'),
])  # fmt: skip
def test_a_picture_of_a_slots_size_is_shown_at_that_size(name, content):
    file_campaign(
        plan=replace(PLAN, creatives=(CreativePlan("https://a.example/", picture=name, content=content, alt="Lamps"),)),
        now=NOW,
    )
    (shown,) = next(iter(posted().values()))["creatives"]
    assert (shown["w"], shown["h"], shown["alt"]) == (728, 90, "Lamps")
    assert shown["src"].startswith("/media/ads/")


# --- printed into pages -----------------------------------------------------------------------------------------------
def test_the_papers_own_words_stand_in_every_slot_and_its_chosen_ones_in_theirs(settings):
    own = queries.frame().house
    assert [slot for slot, _ in own] == ["top", "feed", "side", "story", "end"]
    assert {ad.href for _, ad in own} == {"/subscribe/"}
    house = replace(PLAN, kind="house", creatives=(replace(WORDS, url="/subscribe/", printed=True),))
    file_campaign(plan=house, now=NOW)
    creative = Creative.objects.get().pk
    assert queries.frame().house_ad("top").href == f"/ads/go/{creative}?slot=top"
    assert queries.frame().house_ad("side").href == "/subscribe/"
    settings.BROADSHEET = replace(settings.BROADSHEET, ads=False)
    assert queries.frame() is None
    assert queries.works() is False


# --- clicks and what was seen -----------------------------------------------------------------------------------------
def test_a_click_is_counted_and_leads_where_the_row_says(client):
    file_campaign(plan=PLAN, now=NOW)
    path = f"/ads/go/{Creative.objects.get().pk}"
    answer = client.get(f"{path}?slot=top&url=https://evil.example/&next=//evil.example")
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://shop.example/a")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in answer.headers
    client.head(f"{path}?slot=top")
    client.get(f"{path}?slot=roof")
    client.get(f"{path}?slot=top", headers={"Sec-Purpose": "prefetch"})
    assert list(DayCount.objects.values_list("slot", "clicks", "seen", "day")) == [("top", 1, 0, date(2027, 1, 10))]
    assert client.post(path).status_code == 405


def test_what_never_ran_leads_nowhere(client, settings):
    file_campaign(plan=replace(PLAN, state="draft"), now=NOW)
    file_campaign(plan=replace(PLAN, name="B", starts_at=NOW + timedelta(days=1)), now=NOW)
    ended = replace(PLAN, name="C", starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(seconds=1))
    file_campaign(plan=ended, now=NOW)
    draft, waiting, done = Creative.objects.order_by("pk").values_list("pk", flat=True)
    found = [client.get(f"/ads/go/{pk}?slot=top").status_code for pk in (draft, waiting, done, 999_999)]
    assert found == [404, 404, 302, 404]
    # A row that came into the table by another way is not believed either.
    Creative.objects.filter(pk=done).update(url="http://evil.example/")
    assert client.get(f"/ads/go/{done}").status_code == 404
    settings.BROADSHEET = replace(settings.BROADSHEET, ads=False)
    Creative.objects.filter(pk=done).update(url="https://shop.example/")
    assert client.get(f"/ads/go/{done}").status_code == 404


def report(client, rows, site="same-origin"):
    body = rows if isinstance(rows, bytes) else json.dumps(rows)
    return client.post("/ads/seen", body, content_type="text/plain", headers={"Sec-Fetch-Site": site})


def test_one_page_in_ten_reports_for_ten(client):
    made = file_campaign(plan=PLAN, now=NOW)
    creative = Creative.objects.get().pk
    for _ in range(3):
        answer = report(client, [[creative, "top"], [creative, "feed"], [creative, "top"], [999_999, "top"]])
        assert (answer.status_code, answer.content) == (204, b"")
        assert "Set-Cookie" not in answer.headers
    assert not DayCount.objects.exists()
    jobs.write_seen()
    assert {row.slot: row.seen for row in DayCount.objects.all()} == {"top": 30, "feed": 30}
    jobs.write_seen()
    actions.note_click(creative=creative, slot="top", now=NOW)
    ((day, figures),) = queries.by_day(made)
    assert (day, figures.seen, figures.clicks, figures.rate) == (date(2027, 1, 10), 60, 1, "1.67 %")


@pytest.mark.parametrize("rows", [
    b"", b"{", b"null", b"[" * 3000, b"[" * 1500, {"a": 1}, [1], [[1]], [["1", "top"]], [[1, "roof"]], [[True, "top"]],
    [[1.0, "top"]], [[1, ["top"]]], [[-1, "top"]], [[2**40, "top"]], [[1, "top"]] * 13,
], ids=range(16))  # fmt: skip
def test_a_report_that_makes_no_sense_counts_for_nothing(client, rows):
    file_campaign(plan=PLAN, now=NOW)
    assert report(client, rows).status_code == 204
    jobs.write_seen()
    assert not DayCount.objects.exists()


def test_a_report_from_another_site_counts_for_nothing(client):
    file_campaign(plan=PLAN, now=NOW)
    for site in ("cross-site", "same-site", "none", ""):
        assert report(client, [[Creative.objects.get().pk, "top"]], site).status_code == 204
    jobs.write_seen()
    assert not DayCount.objects.exists()


# --- who may sell -----------------------------------------------------------------------------------------------------
def test_ads_txt_is_there_when_it_has_lines(client, settings):
    assert (client.get("/ads.txt").status_code, client.get("/app-ads.txt").status_code) == (404, 404)
    settings.BROADSHEET = replace(settings.BROADSHEET, ads=False, ads_txt=("exchange.example, 1, DIRECT", "# ours"))
    answer = client.get("/ads.txt")
    assert answer.content == b"exchange.example, 1, DIRECT\n# ours\n"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert client.get("/app-ads.txt").status_code == 404


# --- the desk ---------------------------------------------------------------------------------------------------------
def test_an_editor_makes_a_campaign_and_looks_at_its_proof(client):
    editor = make.reader("editor@paper.example", is_staff=True, is_superuser=True)
    client.force_login(editor)
    form = {
        "name": "Boats", "advertiser": "Ferries", "kind": "direct", "state": "approved", "starts_at": "2027-01-10 00:00",
        "ends_at": "", "slots": ["top"], "weight": "5", "frequency_cap": "0", "creatives-TOTAL_FORMS": "1",
        "creatives-INITIAL_FORMS": "0", "creatives-MIN_NUM_FORMS": "1", "creatives-MAX_NUM_FORMS": "1000",
        "creatives-0-headline": "Boats", "creatives-0-text": "Three a day.", "creatives-0-action": "Timetable",
        "creatives-0-url": "http://boats.example/", "creatives-0-ORDER": "1",
    }  # fmt: skip
    refused = client.post("/admin/advertising/new/", form)
    assert refused.status_code == 200
    assert "begins with https://" in refused.content.decode()
    assert not Campaign.objects.exists()
    assert (
        client.post("/admin/advertising/new/", {**form, "creatives-0-url": "https://boats.example/"}).status_code == 302
    )
    campaign = Campaign.objects.get()
    assert set(posted()) == {campaign.pk}
    for path in ("", f"edit/{campaign.pk}/", f"inspect/{campaign.pk}/"):
        page = client.get(f"/admin/advertising/{path}")
        assert page.status_code == 200
        assert "Boats" in page.content.decode()
    assert client.post(f"/admin/advertising/delete/{campaign.pk}/").status_code == 302
    assert posted() == {}
