"""A fake of the part of Razorpay's API that the adapter speaks, written from its documentation."""

import hashlib
import hmac
import json
import time

from tests.payments.fake_api import FakeApi, basic

KEY_ID, KEY_SECRET = "rzp_test_of_this_test", "secret-of-this-test"
SECRET = "webhook-secret-of-this-test"


class FakeRazorpay(FakeApi):
    """`tokens` says what a token does when it is debited: a reason of an error, `slow` (decided later), or nothing."""

    def __init__(self):
        super().__init__()
        self.orders, self.pays, self.links, self.plinks = {}, {}, {}, {}
        self.customers, self.tokens, self.refunds, self.remembered = {}, {}, {}, {}
        self.behaviour = {}
        self.hidden = False  # payments of the last moment are not shown yet
        self.now = int(time.time())

    def handle(self, method, path, params, headers):
        if basic(headers) != (KEY_ID, KEY_SECRET):
            return 401, error("Authentication failed")
        key = headers.get("x-refund-idempotency")
        if key is not None:
            assert len(key) >= 10
            assert key.isalnum()
            if key in self.remembered:
                first, answer = self.remembered[key]
                return answer if first == params else (400, error("Different request with the same idempotency key"))
        parts = path.strip("/").split("/")[1:]
        name = "_".join([method.lower(), *[part for part in parts if "_0" not in part]])
        answer = getattr(self, name)(*[part for part in parts if "_0" in part], params)
        if key is not None:
            self.remembered[key] = (params, answer)
        return answer

    def _keep(self, table, prefix, entity, **values):
        thing = {"id": self.name(prefix), "entity": entity, "created_at": self.now, "notes": [], **values}
        table[thing["id"]] = thing
        return thing

    def _page(self, rows, params):
        skip, count = int(params.get("skip", 0)), int(params.get("count", 10))
        rows = list(reversed(rows))[skip : skip + count]
        return 200, {"entity": "collection", "count": len(rows), "items": rows}

    # Orders and debits

    def get_orders(self, order, params=None):
        if params is not None:
            return 200, self.orders[order]
        params = order
        return self._page([o for o in self.orders.values() if params.get("receipt") in (None, o["receipt"])], params)

    def post_orders(self, params):
        assert len(params["receipt"]) <= 40
        return 200, self._keep(
            self.orders, "order", "order", **{**params, "status": "created", "attempts": 0, "amount_paid": 0}
        )

    def get_orders_payments(self, order, params):
        rows = [] if self.hidden else [p for p in self.pays.values() if p["order_id"] == order]
        return self._page(rows, {"count": 100, **params})

    def get_customers(self, customer, _params):
        return 200, self.customers[customer]

    def post_payments_create_recurring(self, params):
        token = self.tokens.get(params["token"])
        order = self.orders[params["order_id"]]
        assert params["contact"]
        assert params["amount"] == order["amount"]
        if token is None or token["recurring_details"]["status"] != "confirmed":
            return 400, error("The token is not confirmed for recurring payments", "input_validation_failed")
        if order["status"] == "paid":
            return 400, error("Order is already paid", "order_already_paid")
        order["attempts"] += 1
        order["status"] = "attempted"
        paid = self._pay(order, token["method"], params["customer_id"], token["id"], params["notes"], "created")
        behaviour = self.behaviour.get(token["id"])
        if behaviour is None:
            self.capture(paid)
        elif behaviour != "slow":
            paid.update(status="failed", error_code="BAD_REQUEST_ERROR", error_reason=behaviour)
            return 400, error("Payment failed", behaviour)
        return 200, {
            "razorpay_payment_id": paid["id"], "razorpay_order_id": order["id"], "razorpay_signature": "0" * 64,
        }  # fmt: skip

    def _pay(self, order, method, customer, token, notes, status):  # noqa: PLR0917 - as they stand in the entity
        details = {"vpa": "asha@upi"} if method == "upi" else {"card": {"network": "Visa", "last4": "4366"}}
        return self._keep(
            self.pays, "pay", "payment", amount=order["amount"], currency=order["currency"], status=status,
            order_id=order["id"], method=method, customer_id=customer, token_id=token, amount_refunded=0,
            error_code=None, error_reason=None, **{"notes": notes, **details},
        )  # fmt: skip

    def capture(self, payment):
        payment.update(status="captured", captured=True, error_reason=None)
        self.orders[payment["order_id"]].update(status="paid", amount_paid=payment["amount"])

    # Pages

    def post_subscription_registration_auth_links(self, params):
        assert params["expire_by"] - self.now >= 900
        assert params["amount"] >= 100
        if any(link["receipt"] == params["receipt"] for link in self.links.values()):
            return 400, error("receipt must be unique for each item")
        order = self._keep(
            self.orders, "order", "order", amount=params["amount"], currency=params["currency"], receipt=params["receipt"],
            status="created", attempts=0,
        )  # fmt: skip
        return 200, self._keep(
            self.links, "inv", "invoice",
            **{**params, "order_id": order["id"], "status": "issued", "short_url": f"https://rzp.io/i/{params['receipt']}"},
        )  # fmt: skip

    def get_invoices(self, params):
        return self._page([i for i in self.links.values() if params.get("receipt") in (None, i["receipt"])], params)

    def post_invoices_cancel(self, link, _params):
        return self._cancel(self.links[link], "issued")

    def post_payment_links(self, params):
        order = self._keep(
            self.orders, "order", "order", amount=params["amount"], currency=params["currency"], receipt=None,
            status="created", attempts=0,
        )  # fmt: skip
        link = self._keep(
            self.plinks, "plink", "payment_link",
            **{**params, "order_id": order["id"], "status": "created", "short_url": f"https://rzp.io/rzp/{order['id']}"},
        )  # fmt: skip
        return 200, link

    def get_payment_links(self, params):
        rows = [i for i in self.plinks.values() if params.get("reference_id") in (None, i["reference_id"])]
        return 200, {"payment_links": rows}

    def post_payment_links_cancel(self, link, _params):
        return self._cancel(self.plinks[link], "created")

    def _cancel(self, link, open_state):
        if link["status"] != open_state:
            return 400, error(f"Operation not allowed for a link in {link['status']} status.")
        link["status"] = "cancelled"
        return 200, link

    # Tokens, refunds, the list

    def get_customers_tokens(self, _customer, token, _params):
        return 200, self.tokens[token]

    def put_customers_tokens_cancel(self, _customer, token, _params):
        details = self.tokens[token]["recurring_details"]
        if details["status"] != "confirmed":
            return 400, error("The token cannot be cancelled")
        details["status"] = "cancelled"
        return 200, {"status": "cancellation_initiated"}

    def get_payments(self, params):
        rows = [p for p in self.pays.values() if int(params["from"]) <= p["created_at"] <= int(params["to"])]
        return self._page(rows, params)

    def post_payments_refund(self, payment, params):
        paid = self.pays[payment]
        if paid["status"] != "captured" or params["amount"] > paid["amount"] - paid["amount_refunded"]:
            return 400, error("The total refund amount is greater than the refund payment amount", "invalid_amount")
        paid["amount_refunded"] += params["amount"]
        return 200, self._keep(
            self.refunds, "rfnd", "refund", **{**params, "payment_id": payment, "status": "processed"}
        )

    def get_payments_refunds(self, payment, params):
        return self._page([r for r in self.refunds.values() if r["payment_id"] == payment], params)

    # What a reader does on their pages

    def pay(self, url, fail=None):
        """The reader pays on the page at `url`, or fails for a reason; the payment."""
        link = next(link for link in [*self.links.values(), *self.plinks.values()] if link["short_url"] == url)
        order, wish = self.orders[link["order_id"]], link.get("subscription_registration")
        order["attempts"] += 1
        method = wish["method"] if wish else "card"
        if fail:
            paid = self._pay(order, method, None, None, link["notes"], "failed")
            paid["error_reason"] = fail
            return paid
        customer = self._keep(self.customers, "cust", "customer", email="asha@example.org", contact="+919000000000")
        token = {"id": None}
        if wish:
            token = self._keep(
                self.tokens, "token", "token", method=method, max_amount=wish["max_amount"],
                recurring_details={"status": "confirmed"}, customer_id=customer["id"],
            )  # fmt: skip
        paid = self._pay(order, method, customer["id"], token["id"], link["notes"], "created")
        self.capture(paid)
        link["status"] = "paid"
        return paid


def error(description, reason="NA"):
    return {"error": {"code": "BAD_REQUEST_ERROR", "description": description, "reason": reason, "metadata": {}}}


def event(kind, number=1, at=None, **entities):
    """A signed event: (headers, body)."""
    payload = {name: {"entity": entity} for name, entity in entities.items()}
    body = json.dumps(
        {
            "entity": "event", "account_id": "acc_000001", "event": kind, "contains": list(entities),
            "payload": payload, "created_at": int(at or time.time()),
        }
    ).encode()  # fmt: skip
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"x-razorpay-signature": digest, "x-razorpay-event-id": f"ev_{number:06}"}, body
