"""Raw files: their sources, resumable downloads, archives."""
