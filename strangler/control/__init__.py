"""The control plane: one process that owns the flags, the phases, the audit and the evidence, and serves the admin API.

Words: a *plan* is the steps of a move as values; an *operation* is a plan under way, holding its capability's lock; a
*flip* is one published version of the flags; a *standing* is the phase a capability is in, since when and why.

It moves no rows itself (stream workers do) and forwards no requests (proxies do); it tells both what is wanted.
"""
