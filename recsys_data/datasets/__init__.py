"""The data sets: one file per source, and what they share."""
