"""Published numbers and claims, and the verdict on each."""
