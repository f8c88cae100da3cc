"""The gate's proof: millions of mixed requests while stories are published, corrected and killed, the policy changes
and workers are restarted; every answer is compared byte by byte with what its reader may have at that moment.

Called by `make prove-gate`, and in a small size by tests/journeys. Works on a scratch paper from outside: HTTP for the
readers, the newsroom's own actions for the changes.
"""
