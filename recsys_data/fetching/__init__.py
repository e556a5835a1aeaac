"""Raw files: where they come from, downloads that resume, archives."""
