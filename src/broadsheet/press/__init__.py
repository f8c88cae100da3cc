"""The press: prints a story or a front into its variants and keeps the sheets in separate stores.

Called by newsroom events, by the website and, for a cold sheet, by the gate.
Never cuts a body down: the wall's builder takes a type that has none.
"""
