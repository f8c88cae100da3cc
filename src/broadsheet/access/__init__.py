"""Who may read what: tiers, policy, meters and grants; the one decision stands in rules.py.

Called by the gate, the press, subscriptions, search, feeds and the support desk.
Never loads a story's body and never asks a browser.
"""
