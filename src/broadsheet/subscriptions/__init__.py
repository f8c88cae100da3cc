"""What is offered (plans) and what was agreed (subscriptions): checkout, renewal, cancellation, on one calendar.

Called by readers' browsers, the account pages, the wall's plan cards, the worker and the command line.
Never moves money itself and never decides a page's access: it asks payments for the one and tells access of the other.
"""
