"""One module for each wire format: bytes already decoded in, drafts out; no I/O, no network, no clock."""
