"""The recurrent cells, histories and weights that the reference implementations share."""
