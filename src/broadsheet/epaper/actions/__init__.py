"""The only writers of editions, their pages and areas; of what readers keep and clip."""
