"""The job over a data set: shards in, a table for each, a summary and a page out.

================  ==============================================================================
``job``           arguments, both passes and the estimate between them, what is written at the end
``first_pass``    all shards: scored and counted, or counted again
``shard_scores``  one shard: opened, scored, its identifiers and records kept
``report``        the result of a job, its summary and sentence, and the gate
``copies``        how many rows are copies, of each other and of given originals
``tables``        tables of rows, and the second pass, which completes them
``manifest``      what is done, so that a run that was killed can go on; which table is whose
``folder``        the output folder: its files, its lock, and errors of writing
================  ==============================================================================

Each uses those below it alone. The output folder holds ``shards/`` (a Parquet file for each shard),
``summary.json``, ``report.html``, ``manifest.jsonl`` and ``times.json``. All but the last are
functions of the shards, the model and the arguments: the same bytes however often the job was
killed, and on any number of threads.
"""

from __future__ import annotations
