"""The payment gateway: a process of its own with its own durable ledger, as if it were another company's.

``client`` is what the shop uses; ``app`` and ``ledger`` are the gateway, which knows nothing of the shop's tables.
"""
