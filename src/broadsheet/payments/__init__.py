"""What is owed and what was paid: invoices, payment attempts, mandates, and the providers that move the money.

Called by subscriptions; its till pages are called by readers' browsers, its jobs by the worker.
Never knows what was sold, and never charges without a row that says so first.
"""
