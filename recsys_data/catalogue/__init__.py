"""The catalogue: all data sets by name, the summary of each and its metadata in the Croissant format."""
