"""The optimisers and their update rules, dense and row-sparse."""
