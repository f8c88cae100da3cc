"""Advertising: slots, house ads and campaigns, and pages without any of it.

Called by the press when it prints a page, by editors' screens, by the small script that shows them.
Never follows a reader, never moves a page that is being read, never appears for whoever reads without ads.
"""
