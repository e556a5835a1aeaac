"""Baselines that count: popularity, Markov chains, rules, repeats."""
