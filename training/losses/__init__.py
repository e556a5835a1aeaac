"""The losses and the sampling of their negatives."""
