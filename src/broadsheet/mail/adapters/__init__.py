"""Transports of our own, beside those that come with Django."""
