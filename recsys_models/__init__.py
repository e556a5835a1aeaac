"""Neural models: one file is one paper."""
