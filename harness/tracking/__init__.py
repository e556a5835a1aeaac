"""MLflow as a view of the results folder."""
