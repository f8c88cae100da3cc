"""The newsroom's admin: plans are edited, the books are looked at."""

import pytest
from django.test import Client

from broadsheet import clock
from broadsheet.payments.models import Invoice, Payment
from broadsheet.readers.actions import create_editor
from broadsheet.readers.models import Reader
from broadsheet.subscriptions.models import Plan, Subscription
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
        ("amount_minor", "0", "greater than or equal to 1"),
        ("currency", "XYZ", "currency"),
    ],
)
def test_a_plan_nobody_should_see_is_refused(editor, row, field, value, complaint):
    product = Plan.objects.get().products.first()
    form = {
        "code": "x",
        "name": "X",
        "months": "1",
        "amount_minor": "100",
        "currency": "INR",
        "position": "0",
        "products": [product.pk],
    }
    page = editor.post("/admin/plans/new/", {**form, field: value})
    assert complaint in page.content.decode()
    assert Plan.objects.count() == 1
    assert editor.post("/admin/plans/new/", form).status_code == 302
    assert Plan.objects.get(code="x").amount_minor == 100


def test_readers_have_no_business_here(row):
    reader = Client()
    reader.force_login(Reader.objects.get(), backend="django.contrib.auth.backends.ModelBackend")
    for path in ("/admin/plans/", "/admin/subscriptions/", "/admin/invoices/"):
        assert reader.get(path).status_code == 302
