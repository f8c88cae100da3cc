"""The newsroom: Article with its drafts, workflow and tiers, sections, bylines, Also Read.

Called by wire (filing), press (printing), website, archive and the editors' admin.
Never decides who may read, never prints a page.
"""
