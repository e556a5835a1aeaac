"""The chapters of a report: each makes one Section from stored results."""
