"""Networks that stand apart from the estimator of their paper."""
