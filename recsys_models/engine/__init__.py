"""The recurrent engine: the loop over time, its cells, and their inputs."""
