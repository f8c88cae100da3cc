"""The program: settings, the command line, the one table of handlers, and the process that serves.

Called by the shell and by nothing else.
Never holds a rule of the trade.
"""
