"""Lists of popular packages as data, one file per ecosystem: a name a line, the most popular first.

Each file's first lines state its source and licence. `scripts/make_popular_names.py` writes them.
"""
