"""The billing time machine: a scenario file is walked through years in seconds, on the real code.

Called by the command line (`billing simulate`) and by the screen in the admin, which starts that command.
Never touches the installation's own data: every walk has a scratch paper with a sandbox till.
"""
