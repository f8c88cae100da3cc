"""The reader's own pages, which span apps: what I have, what comes next, invoices, cancelling, gifts.

Called by readers' browsers, and by the gate for gift links through ports in server.wiring.
Never writes anything itself: it asks the actions of the app concerned.
"""
