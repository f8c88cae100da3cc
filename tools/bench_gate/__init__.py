"""The gate's benchmark: requests per server CPU-second beside nginx serving the same bytes, in alternating slices.

Called by `make bench-gate`; works on a scratch paper through the command line, HTTP and files alone, so that it
measures whatever the gate is made of. Never a part of the product; docs/performance.md says how to read its figures.
"""
