"""The newsroom's admin: plans are edited, the books are looked at."""

from datetime import date

import pytest
from django.test import Client

from broadsheet import clock
from broadsheet.bus.actions import run_due_jobs
from broadsheet.payments.models import Invoice, Payment
from broadsheet.readers.actions import create_editor
from broadsheet.readers.models import Reader
from broadsheet.subscriptions.models import Plan, Price, Subscription
from tests.subscriptions import make_subscriptions as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client):
    create_editor(email="editor@example.org", password="x", name="Ed", now=clock.now())
    client.force_login(
        Reader.objects.get(email="editor@example.org"), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


@pytest.fixture
def row():
    make.plan()
    return make.buy(make.reader(), clock.now())


def test_the_lists_show_what_there_is(editor, row):
    for path, words in (
        ("/admin/plans/", "₹900"),
        ("/admin/products/", "premium"),
        ("/admin/subscriptions/", "asha@example.org"),
        ("/admin/invoices/", Invoice.objects.get().number),
        ("/admin/payments/", Payment.objects.get().key),
        (f"/admin/subscriptions/inspect/{row.pk}/", "asha@example.org"),
        (f"/admin/invoices/inspect/{Invoice.objects.get().pk}/", "90000"),
    ):
        page = editor.get(path)
        assert (path, page.status_code) == (path, 200)
        assert words in page.content.decode()


@pytest.mark.parametrize("book", ["subscriptions", "invoices", "payments"])
def test_nobody_edits_the_books(editor, row, book):
    before = [list(model.objects.values()) for model in (Subscription, Invoice, Payment)]
    pk = {"subscriptions": Subscription, "invoices": Invoice, "payments": Payment}[book].objects.get().pk
    for path in (f"/admin/{book}/new/", f"/admin/{book}/edit/{pk}/", f"/admin/{book}/delete/{pk}/"):
        assert editor.post(path, {}).status_code == 302
    assert [list(model.objects.values()) for model in (Subscription, Invoice, Payment)] == before


def test_a_long_list_takes_no_more_statements(editor, row, django_assert_max_num_queries):
    editor.get("/admin/subscriptions/")
    for number in range(5):
        make.buy(make.reader(f"r{number}@example.org"), clock.now())
    with django_assert_max_num_queries(20):
        editor.get("/admin/subscriptions/")


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("name", "{{ plan }}", "placeholder"),
        ("new_price", "0", "greater than or equal to 0.01"),
        ("new_price", "", "A plan without a price is not put on sale."),
        ("max_quantity", "0", "greater than or equal to 1"),
    ],
)
def test_a_plan_nobody_should_see_is_refused(editor, row, field, value, complaint):
    product = Plan.objects.get().products.first()
    form = {
        "code": "x",
        "name": "X",
        "months": "1",
        "new_price": "100.50",
        "trial_days": "0",
        "tax_inclusive": "on",
        "min_quantity": "1",
        "max_quantity": "1",
        "published": "on",
        "position": "0",
        "products": [product.pk],
    }
    page = editor.post("/admin/plans/new/", {**form, field: value})
    assert complaint in page.content.decode()
    assert Plan.objects.count() == 1
    assert editor.post("/admin/plans/new/", form).status_code == 302
    price = Price.objects.get(plan__code="x")
    assert (price.amount_minor, price.currency, price.existing_from) == (10_050, "INR", None)


def test_a_new_price_is_a_new_version_and_old_ones_are_never_edited(editor, row):
    plan = Plan.objects.get()
    old = Price.objects.get()
    form = {
        "code": plan.code, "name": plan.name, "months": "3", "trial_days": "0", "tax_inclusive": "on",
        "min_quantity": "1", "max_quantity": "1", "published": "on", "position": "0",
        "products": [product.pk for product in plan.products.all()],
        "new_price": "999", "new_from": "2040-01-01", "existing_from": "2040-02-01",
    }  # fmt: skip
    assert editor.post(f"/admin/plans/edit/{plan.pk}/", form).status_code == 302
    assert [(p.amount_minor, str(p.new_from)) for p in Price.objects.order_by("new_from")] == [
        (90_000, "2000-01-01"),
        (99_900, "2040-01-01"),
    ]
    for path in (f"/admin/prices/edit/{old.pk}/", f"/admin/prices/delete/{old.pk}/", "/admin/prices/new/"):
        assert editor.post(path, {"amount_minor": "1"}).status_code == 302
    assert Price.objects.get(pk=old.pk).amount_minor == 90_000


def test_the_cards_are_previewed_with_drafts_and_prices_to_come(editor, row):
    plan = Plan.objects.get()
    Price.objects.create(plan=plan, amount_minor=99_900, new_from=date(2040, 1, 1))
    draft = make.plan("draft", 12, 120_000, published=False)
    page = editor.get("/admin/plan-cards/").content.decode()
    assert "₹900" in page
    assert "₹999" not in page
    assert "₹1,200" in page
    assert "₹999" in editor.get("/admin/plan-cards/?day=2040-01-01").content.decode()
    public = editor.get("/subscribe/").content.decode()
    assert draft.name not in public
    assert "₹999" not in public


def test_readers_have_no_business_here(row):
    reader = Client()
    reader.force_login(Reader.objects.get(), backend="django.contrib.auth.backends.ModelBackend")
    for path in ("/admin/plans/", "/admin/subscriptions/", "/admin/invoices/"):
        assert reader.get(path).status_code == 302


def test_who_has_a_plan_reads_what_it_unlocks_now(editor, row):
    plan = Plan.objects.get()
    premium = plan.products.get(code="premium")
    form = {
        "code": plan.code, "name": plan.name, "months": "3", "trial_days": "0", "tax_inclusive": "on",
        "min_quantity": "1", "max_quantity": "1", "published": "on", "position": "0",
        "products": [product.pk for product in plan.products.exclude(pk=premium.pk)],
    }  # fmt: skip
    assert make.may_read(row.reader_id, clock.now())
    assert editor.post(f"/admin/plans/edit/{plan.pk}/", form).status_code == 302
    run_due_jobs()
    assert not make.may_read(row.reader_id, clock.now())
    assert (
        editor.post(f"/admin/plans/edit/{plan.pk}/", {**form, "products": [*form["products"], premium.pk]}).status_code
        == 302
    )
    run_due_jobs()
    assert make.may_read(row.reader_id, clock.now())
