"""Agency copy: received, read, cleaned, identified and filed.

Called by the command line, the job runner (folder watch) and the desk's wire board.
Never publishes by itself: it asks newsroom's actions, and never shows copy it could not read.
"""
