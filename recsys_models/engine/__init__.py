"""The recurrent engine: layers, the unrolled loop over time, and its cells."""
