"""Backends: where cells are computed; each runs in a worker process that may end without harm to the others."""
