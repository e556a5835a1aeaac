"""Running a suite: cells, plan, runner, store, tracking. It is handed values and knows no model or data set by name."""
