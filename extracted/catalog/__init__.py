"""The catalog service: items, brands and categories, read by shoppers.

- *item*: one second-hand thing, listed once. Its price is whole cents with a currency.
- *brand*: a name and a slug; a retired brand can't be searched for, items keep showing its name.
- *category*: a node of the tree; a retired node hides its subtree from the tree and from searches.
- *availability*: the word that says whether an item can be bought; purchasing decides it, catalog shows it.

It answers the catalog routes with the same bytes as the monolith (``legacy_monolith/catalog/API.md``) from a database
of its own. It does not write: rows arrive by change stream while the monolith owns them.
"""
