"""The layouts in which exchanges and others give their prices of the day's end: one module a source."""
