"""Bundles: what is packed of a suite, in three forms."""
