"""The investor section: instruments, prices of the day's end, charts, watch lists, portfolios.

Called by readers, by stories that name an instrument, by the command line and by its jobs.
Never fetches prices unasked, never guesses one, and gives no advice.
"""
