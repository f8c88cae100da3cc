"""Accounts: readers, how they sign in, their sessions, and the passport the gate reads.

Called by access, payments, subscriptions and every reader-facing app.
Never decides what a reader may read.
"""
