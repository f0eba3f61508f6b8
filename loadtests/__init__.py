"""Load: realistic shop traffic, and the proof afterwards that nothing was lost.

- *scenario*: what the traffic looks like (``shop``: steady; ``flip``: the same while flags change).
- *shopper*: one simulated person with cookies of their own; they sign up, look around, like, and buy.
- *record*: one response as the shopper saw it: which side answered, route, version, status, time.
- *acknowledged write*: a write that the shop said yes to. It is in the *ledger* (the client's own book) before the
  shopper goes on, and must be found on the owner afterwards exactly once.
- *flip*: one applied change of a capability's percent, noted beside the records.

``run`` drives a scenario, ``ledger`` looks for the acknowledged writes, ``stickiness`` judges the sides that each
shopper met. Traffic goes to loopback addresses only.
"""
