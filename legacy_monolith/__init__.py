"""The example: a second-hand shop as it has grown, one Flask application on one MySQL schema.

Glossary: an *item* exists once (one-of-a-kind); a *bag* is what a seller sends in and what becomes items;
*availability* is the item's status word (listed, reserved, sold, returned, withdrawn) and belongs to purchasing
although it lives in the catalog's table; *checkout* turns a cart into an order; *mails* is the outbox that the jobs
empty.

It carries on purpose what legacy carries: integer status codes, DECIMAL money without currency, local times in a
fixed UTC-8 without saying so, soft deletes, comma-separated columns, copied names with stray blanks and case, and
transactions that write across what will become service boundaries. It knows nothing of the toolkit: a monolith need
not change to be strangled.
"""
