"""What we ask of the libraries that sign readers in."""
