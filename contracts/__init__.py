"""Contracts: what a capability's public API promises, in a form that runs against whoever answers.

- *contract*: all that one capability promises; a module here with a ``CONTRACT`` (``contracts/catalog.py``).
- *case*: one promise: a function that makes requests and says what must hold of the answers. It knows no ids: it
  finds them through the API, so that it runs on any data.
- *visitor*: the client that a case is handed; it talks to one side and remembers every exchange.
- *difference*: a case that does not hold on a side, or a request that the two sides answer differently.

``contracts.run`` runs a contract on one side or both, and compares the two byte by byte; ``contracts.plugin`` does
the same under pytest. Nothing here writes to a database or knows how either side works inside.
"""
