"""The digital replica: the day's edition as pages, imported from the press or typeset here.

Called by readers (the page viewer), by editors' screens, by the command line and by its jobs.
Never sends a page, a word or a thumbnail of one to whoever access does not let in; one small front is public.
"""
