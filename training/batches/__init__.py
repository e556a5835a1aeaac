"""How training sequences become batches."""
