"""The bus: events become job rows in the caller's transaction; notices tell the gate what changed.

Called by every app's actions, by the worker and by the gate's courier.
Never runs a handler inside the transaction that emitted, never imports an app.
"""
