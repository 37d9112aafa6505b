"""From paths and objects to two-dimensional arrays.

A source becomes one :class:`~tailwatch.io.part.Part` per file or object. Its shape and type are
known at once; its rows are borrowed, mapped or read when they are asked for, chunk by chunk.

=================  =====================================================================
``part``           the part: a shape, and pieces of rows behind it; pieces as batches,
                   as one array, as chosen rows
``paths``          a path, a list of paths or a glob -> files; keys of Hive in folders
``regular``        regular files, opened, and noticed where they change; where data
                   came from, for the text of an error
``columns``        Arrow data of any library; which column of a table, whether its type
                   will do, and its vectors -> arrays
``npy``, ``npz``   arrays in files
``parquet``        vectors of Parquet straight into arrays; tables -> Parquet
``decoder``        the process that decodes Parquet, Arrow and CSV, and its messages
``decoding``       the processes, from the side of who asks them
``tables``         tables in memory and in files, and a column of embeddings of either
``objects``        NumPy, Polars, Arrow and torch objects, and what an array must be
``walking``        which files of a folder are data
``layouts``        folders of shards: packed, of clip-retrieval, plain
``readers``        which of these reads a source; an array and the table beside it
``sealed``         a header and arrays in bytes that are checked, and never executed
``pack_folder``    the packed layout: its manifest, and how it comes to its place
``pack``           into the packed layout
``settings_text``  settings in YAML and TOML, read within bounds
=================  =====================================================================
"""

from __future__ import annotations
