"""Tables of epaper."""
