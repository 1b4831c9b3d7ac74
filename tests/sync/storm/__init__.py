"""Seeded storms over real stores: SQLite files and folders of photos on both sides, one thread, one seed, one history.

``python -m tests.sync.storm --minutes 60`` runs more of them; ``test_simulation.py`` runs a minute within ``./test``.
"""
