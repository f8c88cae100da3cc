"""The desk: staff screens and commands that span apps: the wire board, stories from files, why a reader was stopped.

Called by editors at /admin/ and by the command line.
Never decides anything: it asks the actions, the queries and the one decision.
"""
