"""The contract of a recommender: rules that every model keeps, each checked and explained in words."""
