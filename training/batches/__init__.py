"""How training sequences are cut into instances and batches."""
