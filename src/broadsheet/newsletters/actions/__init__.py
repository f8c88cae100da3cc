"""The only writers of newsletters, by what they are about."""
