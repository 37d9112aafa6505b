"""The job over a data set: shards in, a table for each, a summary and a page out.

=============  =================================================================================
``job``        arguments, the folder, and what is written at the end
``passes``     score and count, estimate, write rows
``folder``     the output folder: its files, its lock, and errors of writing
``manifest``   what is done, so that a run that was killed can go on
``scoring``    the first pass over a shard: identifiers and records
``records``    what it keeps of each row
``tables``     the second pass: probabilities, p- and q-values
``templates``  rows whose copies are looked for
``copies``     how many rows are copies
``summary``    the content of ``summary.json``, its sentence
``report``     the result of a job, and the gate
=============  =================================================================================

The output folder holds ``shards/`` (a Parquet file for each shard), ``summary.json``,
``report.html``, ``manifest.jsonl`` and ``times.json``. All but the last are functions of the
shards, the model and the arguments: the same bytes however often the job was killed, and on any
number of threads.
"""

from __future__ import annotations
