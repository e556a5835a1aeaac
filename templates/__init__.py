"""Files that the command new writes: each runs as it is, and its comments say what to change."""
