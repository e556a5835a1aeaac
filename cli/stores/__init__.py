"""Commands that bring cells from other stores."""
