"""Factor models trained pairwise: BPR-MF, sequential MF, FPMC."""
