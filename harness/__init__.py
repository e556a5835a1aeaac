"""Running a suite: cells, plan, runner, store, tracking. Is handed values; knows no model, data set or suite by name."""
