"""Tables of ads."""
