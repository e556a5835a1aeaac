"""The protocols: from interactions to training, validation and test parts."""
