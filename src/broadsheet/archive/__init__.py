"""The archive: full-text search over the public words of every published story.

Called by readers (the search page), by the command line, and by story events through its jobs.
Never indexes a word beyond a story's lead-in, never shows a story the newsroom does not publish.
"""
