"""Recurrent cells: equations and derivatives."""
