"""Control of a fit: schedules, stopping rules, clipping, dropout, progress."""
