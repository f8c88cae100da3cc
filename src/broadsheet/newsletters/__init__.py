"""Newsletters: lists, issues put together by editors or by rule, and their sending.

Called by readers (sign-up, preferences, web copies), by editors' screens and by its jobs.
Never sends an issue to anybody twice, and nobody the full text of a story that access would wall.
"""
