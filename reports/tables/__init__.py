"""Tables for papers and tools: CSV, LaTeX, Markdown and JSON."""
