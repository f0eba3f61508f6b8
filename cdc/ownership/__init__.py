"""Who may write a capability's tables, held by the databases themselves.

A *fence* is made of triggers on every owned table of both sides and one *ownership row* per capability and side that
they read; moving ownership is one UPDATE of that row, for which InnoDB waits for everybody who has written. What the
orchestrator of a cutover calls, in the order of a move (``sides`` says where the two databases are; ``old`` and ``to``
are the side that owns and the one that is to own):

- ``arm.arm(mapping, sides) -> names of triggers``: rows and triggers, where they are missing; refuses with all reasons
- ``arm.check(mapping, sides) -> [Fault]``: what of the fence is missing, changed, foreign, crossed by cascades
- ``proof.prove(mapping, sides, settle) -> [WayBack]``: does the way back give legacy's rows, all of them
- ``ids.reserve(mapping, sides, to) -> [Reserved]``: counters of the next owner above the other side's ids
- ``row.watch(session on to, capability, to, True)``: the applier that writes ``to`` notes the keys it touches
- ``row.read_both(sides, capability)``: who owns, with which token
- ``move.move(session on old, its database, capability, old, owner=to, token_from=t, token_to=t+1, since=None,
  journal=..., seconds=...) -> fence``: the old owner's database refuses writers; it takes nothing from the stream yet
- ``cdc.state.await_position(desk of the stream that writes to, fence, seconds)``: everything up to the fence is there
- ``ids.short(mapping, sides, to)``, ``delta.delta(mapping, sides, to) -> [WayBack]``: ids are safe still; the rows that
  the stream has touched of late are the old owner's
- ``cdc.server.source_position(database of to) -> since``: before the journal mark, and kept with it. Nothing of the
  new owner's own is up to there, nothing of the stream's comes after it
- ``move.admit(session on old, capability, old, t+1, since)``: the old side takes the new owner's events from there on
- ``move.move(session on to, its database, capability, to, owner=to, token_from=t, token_to=t+1, since="", ...)``: the
  new owner's database lets writers in
- to go back before the mark: ``move.move`` on ``old`` again with ``owner=old, token_from=t+1, token_to=t+2``, and on
  ``to`` with ``owner=old, token_from=t, token_to=t+2, since=`` what its row has
- ``arm.disarm(capability, sides)``: only while legacy owns

``move`` raises ``MovedMeanwhile`` (the token is another) and ``HeldUp`` (open transactions, named). After a crash
``row.read`` says whether a move was done; ``admit`` is safe to repeat.

``since`` is why there is no loop: an applier takes only what the owner wrote, and that is what the owner's binlog has
after ``since``; what is before it there was brought by the stream of the other direction.
"""
