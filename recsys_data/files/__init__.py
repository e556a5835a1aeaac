"""File formats: a user's own file as a data set, sequence files, exports."""
