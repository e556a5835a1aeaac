"""Parts of a report: blocks, printed numbers, the index of its runs."""
