from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from broadsheet.access import products
from broadsheet.subscriptions import actions, queries
from broadsheet.subscriptions.models import Plan, Price, Product
from broadsheet.subscriptions.rules import RefusedError
from tests.subscriptions import make_subscriptions as make

pytestmark = pytest.mark.django_db


def test_a_new_paper_has_three_plans():
    actions.ensure_default_plans(currency="INR")
    both = ("Every news story, without a monthly limit", "Premium analysis and investigations")
    assert queries.plan_cards("en") == (
        queries.PlanCard(
            "quarterly", "Quarterly", "₹900", "3 months", "₹300/month", "/subscribe/quarterly/", False, both
        ),
        queries.PlanCard("annual", "Annual", "₹2,700", "12 months", "₹225/month", "/subscribe/annual/", False, both),
        queries.PlanCard(
            "two-year", "Two-Year", "₹3,900", "24 months", "₹162/month", "/subscribe/two-year/", True, both
        ),
    )


def test_what_an_editor_changed_is_left_alone():
    actions.ensure_default_plans(currency="INR")
    Plan.objects.filter(code="annual").delete()
    Price.objects.filter(plan__code="quarterly").update(amount_minor=99_900)
    actions.ensure_default_plans(currency="INR")
    assert [(card.code, card.price) for card in queries.plan_cards("en")] == [
        ("quarterly", "₹999"),
        ("two-year", "₹3,900"),
    ]


def test_a_card_lists_only_what_this_installation_has(monkeypatch):
    actions.ensure_default_plans(currency="INR")
    Plan.objects.get(code="quarterly").products.set(Product.objects.filter(code="unlimited"))
    stories = ("Every news story, without a monthly limit", "Premium analysis and investigations")
    assert queries.plan_card("annual", "en").benefits == stories
    monkeypatch.setattr(products, "_works", {"epaper": lambda: True, "archive": lambda: False})
    assert queries.plan_card("annual", "en").benefits == (*stories, "The e-paper: read it, save it, share from it")
    assert queries.plan_card("quarterly", "en").benefits == stories[:1]
    assert [card.code for card in queries.cards_with("epaper", "en")] == ["annual", "two-year"]
    assert queries.cards_with("archive", "en") == ()


def test_a_retired_plan_is_not_offered():
    make.plan()
    make.plan("old", retired=True)
    assert [card.code for card in queries.plan_cards("en")] == ["q"]
    assert queries.plan_card("old", "en") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("months", 0), ("name", ""), ("name", "{{ plan }}"), ("name", "{% x %}")],
)
def test_the_database_refuses_a_plan_nobody_should_see(field, value):
    plan = make.plan()
    with pytest.raises(IntegrityError), transaction.atomic():
        Plan.objects.update(**{field: value})
    assert Plan.objects.get() == plan
    assert getattr(Plan.objects.get(), field) == getattr(plan, field)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("months", 0),
        ("name", ""),
        ("name", "Plan {{n}}"),
    ],
)
def test_the_admin_refuses_it_first(field, value):
    plan = Plan(code="x", name="X", months=1)
    plan.full_clean()
    setattr(plan, field, value)
    with pytest.raises(ValidationError) as refusal:
        plan.full_clean()
    assert field in refusal.value.message_dict


@pytest.mark.parametrize(("field", "value"), [("amount_minor", 0), ("amount_minor", None), ("currency", "XYZ")])
def test_a_price_of_nothing_or_in_no_money_is_refused(field, value):
    price = Price(plan=make.plan("p"), amount_minor=100, currency="INR", new_from=date(2027, 1, 1))
    price.full_clean()
    setattr(price, field, value)
    with pytest.raises(ValidationError) as refusal:
        price.full_clean()
    assert field in refusal.value.message_dict


def test_a_plan_without_a_price_is_neither_shown_nor_sold():
    make.plan()
    Price.objects.all().delete()
    assert queries.plan_cards("en") == ()
    with pytest.raises(RefusedError, match="unpriced"):
        make.start(make.reader(), make.at("2027-01-09 09:00"))


def test_a_benefit_with_a_placeholder_is_refused():
    with pytest.raises(ValidationError):
        Product(code="x", name="X", benefit="{{benefit}}").full_clean()


def test_the_current_subscription_and_its_next_charge():
    make.plan()
    asha = make.reader()
    assert queries.current_subscription(asha) is None
    make.start(asha, make.at("2027-01-09 09:00"))
    assert queries.current_subscription(asha) is None
    row = make.buy(asha, make.at("2027-01-10 09:00"))
    card = queries.current_subscription(asha)
    assert (card.status, card.live, card.next_charge_on, card.paid_until) == (
        "active", True, date(2027, 4, 10), date(2027, 4, 10),
    )  # fmt: skip
    make.card_declines(yes=True)
    make.walk(make.at("2027-04-10 00:10"), make.at("2027-04-10 00:10"))
    card = queries.current_subscription(asha)
    assert (card.status, card.next_charge_on, card.access_until) == ("past_due", date(2027, 4, 13), date(2027, 4, 17))
    actions.cancel(subscription_id=row.pk, actor="reader", now=make.at("2027-04-11 09:00"))
    card = queries.current_subscription(asha)
    assert (card.status, card.live, card.next_charge_on) == ("canceled", False, None)
    assert [event.kind for event in queries.history(row.pk)][-3:] == [
        "notice",
        "cancellation_requested",
        "status_changed",
    ]


@pytest.mark.parametrize(
    ("gifts", "words"), [(10, "Give 10 stories a month to friends"), (1, "Give a story to a friend each month")]
)
def test_a_card_names_gifts_when_it_is_told_how_many(gifts, words):
    make.plan()
    assert queries.plan_cards("en", gifts=gifts)[0].benefits == ("unlimited", "premium", words)
    assert (
        queries.plan_cards("en")[0].benefits
        == queries.plan_cards("en", gifts=0)[0].benefits
        == ("unlimited", "premium")
    )


def test_a_plan_that_opens_nothing_gives_nothing_away():
    make.plan().products.clear()
    assert queries.plan_cards("en", gifts=10)[0].benefits == ()
