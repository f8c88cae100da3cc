"""What is offered, what was agreed, what was given away, who has a seat; and the history of all of it."""

from broadsheet.subscriptions.models.agreements import Segment, Subscription, SubscriptionEvent
from broadsheet.subscriptions.models.catalogue import Coupon, Plan, Price, Product
from broadsheet.subscriptions.models.gifts import Gift
from broadsheet.subscriptions.models.groups import Seat
from broadsheet.subscriptions.models.notices import ConsentRecord, Notice

__all__ = [
    "ConsentRecord",
    "Coupon",
    "Gift",
    "Notice",
    "Plan",
    "Price",
    "Product",
    "Seat",
    "Segment",
    "Subscription",
    "SubscriptionEvent",
]
