"""Commands for a user's own models, data sets and suites."""
