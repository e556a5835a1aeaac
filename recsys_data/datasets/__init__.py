"""The data sets: one file per source, and the catalogue of all of them."""
