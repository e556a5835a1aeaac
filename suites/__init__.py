"""What is run: one file, one paper or question; each defines SUITE."""
