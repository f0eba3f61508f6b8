"""The demonstration that `make demo` runs: one capability of the example shop moves out and back under live traffic.

It types the same commands that an engineer would (``strangler ...``), keeps load running beside them, and ends with a
table of what happened. It is no part of the toolkit, and the toolkit knows nothing of it.
"""
