"""The data sets: one file per source, synthetic ones too, and the catalogue of them all."""
