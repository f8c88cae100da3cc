"""Where the book lies when it lies on another machine."""
