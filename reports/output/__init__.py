"""A report as HTML, PDF, terminal text and table files; bundles."""
