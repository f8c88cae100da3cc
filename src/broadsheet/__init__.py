"""Broadsheet: the digital newspaper a publisher hosts itself. Wire copy in, subscribers out."""

__version__ = "0.1.0"
