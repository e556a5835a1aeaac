"""What a report is made of: blocks, printed numbers, the index of its runs."""
