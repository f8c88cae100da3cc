"""How fast renewals are, and whether a million subscribers make each one slower.

Called by `make bench-billing`. Never part of the product.
"""
