"""The type corpus: a table for each column type, copied and streamed, compared byte by byte: ``make corpus``.

A *case* is one column type with values at its boundaries, as a plain column or as the primary key. A *pair* is a kind
of source and a kind of target server. A *trial* is a case over a pair, with its table and rows. A *verdict* is what
became of it: ``equal``, ``refused`` at the start, ``no such type`` where the source has none of that name; anything
else is a fault, told in words. Nothing here knows how values travel.
"""
