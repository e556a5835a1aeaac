"""The data sets: one file per source or generator, and the catalogue of all of them."""
