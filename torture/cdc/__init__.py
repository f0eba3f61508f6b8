"""Streams under live writers while their processes and servers are killed; every table has to end equal."""
