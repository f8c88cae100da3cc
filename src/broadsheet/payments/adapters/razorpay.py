"""Razorpay."""


class RazorpayTill:
    code = "razorpay"
    sandbox = False
