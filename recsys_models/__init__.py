"""Neural models, one file per paper."""
