"""Baselines: cheap, strong and exact."""
