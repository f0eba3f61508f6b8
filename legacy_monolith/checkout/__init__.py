"""From a cart to a paid order.

Three steps, each repeatable: *place* (one transaction: items reserved, order, discounts, store credit), *charge* at the
gateway under a key made from the order, *settle* (one transaction: sold or given back). A crash between them leaves a
pending order that the same Idempotency-Key, or the settling job, carries on.

Row locks are taken in the order idempotency key, cart, order, items by id, promotions by id, user; everywhere.
"""
