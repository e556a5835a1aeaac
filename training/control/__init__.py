"""What controls a fit: schedules, stopping rules, clipping, dropout, progress."""
