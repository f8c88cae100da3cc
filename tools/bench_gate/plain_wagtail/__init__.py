"""The smallest Wagtail site that shows a story: Wagtail's default middleware, one page type, SQLite. Not a part of the
product; tools/bench_gate/peers.py measures it beside the gate.
"""
