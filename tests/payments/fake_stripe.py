"""A fake of the part of Stripe's API that the adapter speaks, written from its documentation (API 2026-10-28)."""

import hashlib
import hmac
import json
import time

from tests.payments.fake_api import FakeApi

KEY = "sk_test_of_this_test"
SECRET = "whsec_of_this_test"


class FakeStripe(FakeApi):
    """`cards` says what a PaymentMethod does when it is charged: a decline code, an error code, or `processing`."""

    def __init__(self):
        super().__init__()
        self.customers, self.sessions, self.intents, self.setups = {}, {}, {}, {}
        self.methods, self.refunds, self.remembered = {}, {}, {}
        self.cards = {}
        self.search_works = True
        self.now = int(time.time())

    def handle(self, method, path, params, headers):
        if headers.get("authorization") != f"Bearer {KEY}":
            return 401, error("invalid_request_error", "Invalid API Key provided")
        self.path = path
        key = headers.get("idempotency-key")
        if method != "POST" or key is None:
            return self._route(method, path, params)
        asked = json.dumps([path, params], sort_keys=True)
        if key in self.remembered:
            first, answer = self.remembered[key]
            if first != asked:
                return 400, error("idempotency_error", "Keys can only be used with the same parameters")
            return answer
        answer = self._route(method, path, params)
        self.remembered[key] = (asked, answer)
        return answer

    def _route(self, method, path, params):
        parts = path.strip("/").split("/")[1:]
        name = "_".join([method.lower(), *[part for part in parts if "_0" not in part]])
        things = [part for part in parts if "_0" in part]
        road = getattr(self, name, None)
        if road is None:
            return 404, error("invalid_request_error", f"Unrecognized request URL ({method}: {path})")
        return road(*things, params)

    # Lists: newest first, by pages

    def _page(self, table, params, keep=lambda thing: True):
        since = int(params.get("created", {}).get("gte", 0))
        until = int(params.get("created", {}).get("lt", 2**40))
        rows = [t for t in reversed(table.values()) if since <= t["created"] < until and keep(t)]
        after = params.get("starting_after")
        if after:
            rows = rows[[row["id"] for row in rows].index(after) + 1 :]
        size = int(params.get("limit", 10))
        return 200, {"object": "list", "url": self.path, "has_more": len(rows) > size, "data": rows[:size]}

    def get_customers(self, params):
        return self._page(self.customers, params, lambda c: c.get("email") == params.get("email"))

    def post_customers(self, params):
        return 200, self._keep(self.customers, "cus", "customer", **params)

    def get_checkout_sessions(self, params):
        return self._page(
            self.sessions,
            params,
            lambda s: (
                params.get("status") in (None, s["status"]) and params.get("customer") in (None, s.get("customer"))
            ),
        )

    def post_checkout_sessions(self, params):
        if not 1_800 <= int(params["expires_at"]) - self.now <= 86_400:
            return 400, error("invalid_request_error", "expires_at must be between 30 minutes and 24 hours")
        made = self._keep(self.sessions, "cs_test", "checkout.session", status="open", **params)
        made["url"] = f"https://checkout.stripe.com/c/pay/{made['id']}"
        return 200, made

    def post_checkout_sessions_expire(self, session, _params):
        if self.sessions[session]["status"] != "open":
            return 400, error("invalid_request_error", "Only Checkout Sessions with a status of open can be expired")
        self.sessions[session].update(status="expired", url=None)
        return 200, self.sessions[session]

    def get_payment_intents(self, intent_or_params, params=None):
        if params is not None:
            return 200, self.intents[intent_or_params]
        params = intent_or_params
        return self._page(self.intents, params, lambda i: params.get("customer") in (None, i.get("customer")))

    def get_payment_intents_search(self, params):
        if not self.search_works:
            return 400, error("invalid_request_error", "Search is not supported for your account")
        wanted = params["query"].partition(":")[2].strip("'")
        rows = [i for i in self.intents.values() if i["metadata"].get("broadsheet_key") == wanted]
        return 200, {"object": "search_result", "url": "/v1/payment_intents/search", "has_more": False, "data": rows}

    def post_payment_intents(self, params):
        method = self.methods.get(params["payment_method"])
        if method is None or method["customer"] != params["customer"]:
            return 400, error("invalid_request_error", "No such PaymentMethod", code="resource_missing")
        assert (params["off_session"], params["confirm"]) == ("true", "true")
        intent = self._keep(
            self.intents,
            "pi",
            "payment_intent",
            **{**params, "amount": int(params["amount"]), "status": "succeeded", "latest_charge": None},
        )
        behaviour = self.cards.get(method["id"], "succeeded")
        if behaviour == "processing":
            intent["status"] = "processing"
        elif behaviour == "succeeded":
            self._charge(intent)
        else:
            code = behaviour if behaviour.startswith(("india", "payment_intent")) else "card_declined"
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {"code": code, "decline_code": behaviour, "type": "card_error"}
            return 402, error("card_error", "Declined", code=code, decline_code=behaviour, payment_intent=intent)
        return 200, intent

    def get_payment_methods(self, method, _params):
        if method not in self.methods:
            return 404, error("invalid_request_error", "No such PaymentMethod", code="resource_missing")
        return 200, self.methods[method]

    def post_payment_methods_detach(self, method, _params):
        if self.methods[method]["customer"] is None:
            return 400, error("invalid_request_error", "The payment method is not attached to a customer")
        self.methods[method]["customer"] = None
        return 200, self.methods[method]

    def get_setup_intents(self, params):
        return self._page(self.setups, params)

    def get_refunds(self, params):
        return self._page(self.refunds, params, lambda r: r["payment_intent"] == params["payment_intent"])

    def post_refunds(self, params):
        intent = self.intents[params["payment_intent"]]
        charge, amount = intent["latest_charge"], int(params["amount"])
        if amount > intent["amount"] - charge["amount_refunded"]:
            return 400, error("invalid_request_error", "greater than unrefunded amount", code="charge_already_refunded")
        charge["amount_refunded"] += amount
        return 200, self._keep(self.refunds, "re", "refund", **{**params, "amount": amount, "status": "succeeded"})

    def _keep(self, table, prefix, kind, **values):
        thing = {"id": self.name(prefix), "object": kind, "created": self.now, "metadata": {}, **values}
        table[thing["id"]] = thing
        return thing

    def _charge(self, intent):
        intent.update(status="succeeded", amount_received=int(intent["amount"]))
        intent["latest_charge"] = {
            "id": self.name("ch"), "object": "charge", "created": self.now, "amount_refunded": 0,
        }  # fmt: skip

    # What a reader does on their pages

    def pay(self, url, brand="visa", last4="4242", decline=None):
        """The reader pays (or is declined) on the page at `url`; the PaymentIntent, or the SetupIntent."""
        session = self.sessions[url.rpartition("/")[2]]
        kind = (session.get("payment_method_types") or {"0": "card"})["0"]
        details = {"vpa": "asha@upi"} if kind == "upi" else {"brand": brand, "last4": last4}
        if session["mode"] == "setup":
            method = self._keep(
                self.methods, "pm", "payment_method", type=kind, customer=session["customer"], **{kind: details}
            )
            data = session["setup_intent_data"]
            session["status"] = "complete"
            return self._keep(
                self.setups, "seti", "setup_intent", status="succeeded", usage="off_session",
                payment_method=method["id"], customer=session["customer"], metadata=dict(data["metadata"]),
            )  # fmt: skip
        data = session["payment_intent_data"]
        intent = session.get("_intent") or self._keep(
            self.intents, "pi", "payment_intent", status="requires_payment_method", customer=session["customer"],
            amount=int(session["line_items"]["0"]["price_data"]["unit_amount"]), latest_charge=None,
            currency=session["line_items"]["0"]["price_data"]["currency"], metadata=dict(data["metadata"]),
            setup_future_usage=data.get("setup_future_usage"), payment_method_types=[kind],
        )  # fmt: skip
        session["_intent"] = intent
        if decline:
            intent["last_payment_error"] = {"code": "card_declined", "decline_code": decline, "type": "card_error"}
            return intent
        attached = session["customer"] if data.get("setup_future_usage") else None
        method = self._keep(self.methods, "pm", "payment_method", type=kind, customer=attached, **{kind: details})
        intent["payment_method"] = method["id"]
        self._charge(intent)
        session["status"] = "complete"
        return intent


def error(kind, message, **more):
    return {"error": {"type": kind, "message": message, **more}}


def event(kind, thing, number=1, at=None):
    """A signed event: (headers, body)."""
    at = int(at or time.time())
    thing = {**thing, "latest_charge": None} if thing.get("object") == "payment_intent" else thing
    body = json.dumps(
        {
            "id": f"evt_{number:06}", "object": "event", "api_version": "2026-10-28.endive", "created": at,
            "type": kind, "data": {"object": thing}, "livemode": False,
        }
    ).encode()  # fmt: skip
    digest = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={at},v1={digest}"}, body
