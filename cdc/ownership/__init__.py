"""Who may write a capability's tables, held by the databases themselves.

A *fence* is made of triggers on every owned table of both sides and one *ownership row* per capability and side that
they read; moving ownership is one UPDATE of that row, for which InnoDB waits for everybody who has written. What the
orchestrator of a cutover calls (``Sides`` is where the two databases are):

| step | call | what |
|---|---|---|
| before | ``arm.arm(mapping, sides) -> names`` | rows and triggers, where they are missing; refuses with all reasons |
| before | ``arm.check(mapping, sides) -> [Fault]`` | what of the fence is missing, changed, foreign, crossed by cascades |
| before | ``proof.prove(mapping, table, sides, settle) -> WayBack`` | does the way back give legacy's rows, all of them |
| before | ``ids.reserve(mapping, sides, owner) -> [Reserved]`` | counters of the next owner above the other side's ids |
| before | ``row.watch(session, capability, side, True)`` | let the applier that writes ``side`` note the keys it touches |
| move 1 | ``move.move(session, database, capability, old_side, owner=..., token_from, token_to, since=None, journal) -> fence`` | the old owner's database refuses writes; until ``admit`` it applies nothing either |
| wait | ``cdc.state.await_position(StreamDesk(target, capability, direction), fence, seconds)`` | the stream has applied the fence |
| check | ``ids.short(mapping, sides, owner)``, ``recent.recent(session, capability, direction)`` | ids still safe; keys for the delta check |
| before the journal mark | ``server.source_position(database of the new owner) -> since`` | nothing of the new owner's own is before it |
| move 2 | ``move.admit(session, capability, old_side, token_to, since)`` | the old side takes the new owner's events after ``since`` |
| move 2 | ``move.move(session, database, capability, new_side, owner=..., token_from, token_to, since="", journal)`` | the new owner's database lets writers in |
| undo | ``move.move(session, database, capability, old_side, owner=old, token_from=token_to, token_to=token_to + 1, since="", journal)``, and the same tokens on the other side | back to how it was |
| any time | ``row.read(session, capability, side)``, ``row.read_both(sides, capability)`` | who owns, with which token |
| end | ``arm.disarm(capability, sides)`` | only while legacy owns |

``move`` raises ``MovedMeanwhile`` (the token is another: somebody else moved it) and ``HeldUp`` (open transactions,
named). Each call is safe to repeat after a crash once ``read`` has said what is there; ``admit`` in any case.

``since`` is why the two moves are no loop: between them the old side takes nothing, for what the new side's binlog has
there was brought by the stream; and what is after ``since`` was written by the owner.
"""
