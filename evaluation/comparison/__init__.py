"""Models compared over stored results, on one data set and across data sets."""
