"""The purchasing service: carts, checkout, orders, returns, store credit, and the bags that are paid in it.

- *stock*: whether an item can be bought, and for whom it is kept. Its row is all that purchasing owns of an item;
  title, price, brand and category are a copy that the monolith keeps up.
- *purchase*: one use of one Idempotency-Key: registered, placed, charged, then settled or given back.
- *credit*: a balance with the user, and the bookings that explain it.
- *outbox*: mails and messages that this service writes and the monolith sends.

It answers its routes with the same bytes as the monolith from a database of its own, and knows nothing of who owns that
database's rows at the moment: a write that its database refuses because the other side owns them is answered with 503.
It does not edit what items or promotions are, and does not send mails.
"""
