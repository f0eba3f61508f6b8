"""Telling people: in the transaction that causes it. The monolith sends what the outbox holds."""
