"""What changed between two sets of stored results: cells, numbers of tables, and what is recorded of them."""
