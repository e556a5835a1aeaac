"""Containers of events: text tables, JSON objects, Parquet; plain or compressed."""
