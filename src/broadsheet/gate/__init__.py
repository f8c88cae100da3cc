"""The gate: path + passport + meter -> the bytes of one variant, without Django and without SQL. Django-free.

Called by the server process for every request; what it does not know falls through to Django in the same process.
Never holds a body it was not asked to send, never decides by itself: access.rules.decide() does.
"""
