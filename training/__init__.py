"""Training, shared by all learners: the loop, batches, losses, optimisers, checkpoints."""
