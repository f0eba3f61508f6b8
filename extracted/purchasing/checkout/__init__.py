"""From a cart to a paid order: a saga of four steps, each repeatable.

    register   the Idempotency-Key has a row of its own
    place      one transaction: items reserved, order, discounts, store credit and payment booked, cart emptied
    charge     at the gateway, under a key made from the order
    settle     one transaction: sold, or given back (items, uses of codes, store credit); the answer is kept with the
               key, and what people are told is in the outbox

A crash between them leaves a pending order that the same Idempotency-Key, or ``jobs.pending_orders``, carries on; also
on the other side, since key, order and gateway key are the same there. Reserving and placing are one transaction
because availability moved here together with orders; that is why a refused checkout has nothing to give back.

Row locks are taken in the order purchase key, cart, order, stock by item, uses by promotion, balance; everywhere.
"""
