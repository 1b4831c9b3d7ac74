"""The protocol as an executable model: both ends in memory, no clock, no file, no network, one thread.

It decides with the product's own pure functions (``sync.merge``, ``sync.digest``, ``sync.catalogue``) and says in its
own words what happens around them: order, journals, epochs, buckets, photos. Each rule can be switched off, and the
invariants of ``oracle`` must then be broken by some history: ``python -m tests.sync.model --help``.
"""
