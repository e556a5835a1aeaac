"""Site: one static folder over all suites of a store, with verdicts by paper and leaderboards."""
