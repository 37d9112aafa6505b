"""From paths and objects to two-dimensional arrays.

A source becomes one :class:`~tailwatch.io.part.Part` per file or object. Its shape and type are
known at once; its rows are borrowed, mapped or read when they are asked for, chunk by chunk.

=================  =====================================================================
``place``          where data came from, for the text of an error
``part``           the part: a shape, and chunks of rows behind it
``paths``          a path, a list of paths or a glob -> files
``batches``        chunks as batches of one length, as one array, as chosen rows
``arrays``         NumPy arrays, ``.npy``, ``.npz``
``arrow``          Arrow data of any library as Polars columns
``columns``        which column of a table, and whether its type will do
``vectors``        a column of vectors -> arrays, without a copy
``tables``         tables in memory, and files as tables
``parquet``        Parquet files
``objects``        Polars, Arrow and torch objects
``readers``        which of these reads a source
``layouts``        folders of shards: packed, of clip-retrieval, plain
``paired``         a ``.npy`` file and the table beside it
``sink``           tables to Parquet
``pack``           into the packed layout
``pack_manifest``  what says what a packed folder holds
=================  =====================================================================
"""

from __future__ import annotations
