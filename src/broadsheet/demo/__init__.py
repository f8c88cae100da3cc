"""The demo paper: its stories and pictures, its dripping feed, its four doors and its mailbox.

Called by the command line (`broadsheet demo`), by the worker while a demo runs, and at /demo/ on loopback.
Never touches a paper that is not a demo, and answers nobody from another machine.
"""
