"""What django-allauth asks of us: claims and keys, and a place for what is handed out once."""
