"""From scores to ranks: the recommender protocol, exact counting, the rank table."""
