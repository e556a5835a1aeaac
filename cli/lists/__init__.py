"""Details of what a suite can name: models, metrics, protocols, losses, claims."""
