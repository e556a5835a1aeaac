"""File formats: tables, sequences, times; a user's own file as a data set."""
