"""Exchanges: what each of them sends and takes. One file each, nothing in them opens a connection."""
