"""The stages of the GPU check: what each measures or compares, and how they are written down."""
