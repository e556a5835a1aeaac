"""A split in files that other programs read: written, and read back with the same fingerprint."""
