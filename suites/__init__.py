"""Suites: one file per paper or question; each defines SUITE."""
