"""What is learnt from: interactions, sequences, splits. The ground floor; needs numpy and pyarrow, never torch."""
