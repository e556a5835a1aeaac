"""From a command line to a loaded, validated suite."""
