"""The commands: one file a group; each parses, wires the floors and prints. benchmark.py names them."""
