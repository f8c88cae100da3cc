"""Stripe."""


class StripeTill:
    code = "stripe"
    sandbox = False
