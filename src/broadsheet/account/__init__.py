"""The reader's own pages, which span apps: what I have, what comes next, invoices, cancelling.

Called by readers' browsers alone.
Never writes anything itself: it asks the actions of the app concerned.
"""
