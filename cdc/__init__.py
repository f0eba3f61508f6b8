"""How rows follow.

Words: a *change event* is one row change in Debezium's envelope; a *position* is a point in a database's binlog;
a *mapping* says how rows of a legacy table become rows of a new table, and back; a *marker* is a row written on the
source so that its arrival measures lag; *copy* brings what was there before the stream began; *verify* compares.

This package moves and compares rows. It does not know routes, flags, phases or gates, and nothing about any
particular application.
"""
