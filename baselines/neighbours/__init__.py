"""Nearest-neighbour baselines: item, user, session, with and without decay."""
