"""The website: fronts, section fronts, standing pages, feeds, sitemaps and the pages that say what went wrong.

Called by the gate (through its ports) for pages to print, by the server's routes and by editors in the page tree.
Never reads a story's body: everything here is made from cards.
"""
