"""PDF files read, set and marked: in processes of their own, Django-free."""
