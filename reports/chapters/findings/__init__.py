"""The chapters that say what came out: the answer, verdicts, comparisons, variants, slices."""
