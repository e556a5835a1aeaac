"""Changes between two sets of stored results: of cells, of numbers in tables, and of what is recorded of them."""
