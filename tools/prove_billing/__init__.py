"""The proof that nobody is charged twice: a paper's billing, whose processes are killed all the time.

Called by `make prove-billing`. Never part of the product.
"""
