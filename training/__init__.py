"""What the learners share: the training loop, instances, losses, checkpoints. Knows data, not how a model is judged."""
