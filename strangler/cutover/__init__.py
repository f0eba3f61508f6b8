"""Moving the ownership of a capability's data from one side to the other, under load.

Words: a *move* is one such change, forth or back, by the same procedure; the *old* side owns at its beginning, the
*owner* at its end (which may be either side); the *fence* is the position after the last write that the old side
accepted; the *journal* says how far a move came. Its mark is the point of no return: before it, anything that goes
wrong puts everything back; after it, everything is completed, by this process or by the next one.

``steps`` and ``decide`` are pure: which steps there are, how long each may take, and what a crash's remains call for.
``execute`` does the steps through two ports (``ports``), ``dry_run`` says them, ``repair`` does what ``decide`` found.
Whether a move is allowed is not decided here: that is what gates are for.
"""
