"""How good a model is, and how sure we are: ranks, metrics, inference, verdicts. Never imports torch."""
