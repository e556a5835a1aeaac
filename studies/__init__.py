"""Simulations and documentation pages that are made from data."""
