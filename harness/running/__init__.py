"""Running a suite: plan, estimates, workers, progress, verification."""
