"""One cell: its key, its computation, its search, its record."""
