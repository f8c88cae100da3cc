"""Partner benefits: another title's access for our subscribers, and ours for theirs.

Called by readers (claiming), by editors' screens, by subscription events through its jobs.
Never gives one code twice, and none to whoever the terms do not cover.
"""
