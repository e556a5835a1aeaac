"""The losses, how negatives are sampled, and what is added to a loss."""
