"""Amazon reviews: editions of papers, the official files, and Spotlight's co-purchasing file."""
