"""Running suites from Python, for notebooks and scripts."""
