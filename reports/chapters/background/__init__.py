"""The chapters that say how it came out: data, methods, tuning, training, cost, provenance."""
