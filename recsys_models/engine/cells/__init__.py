"""One file per recurrent cell: its equations and their derivatives."""
