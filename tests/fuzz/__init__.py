"""Damaged files by the thousand: small valid ones, altered, and given to all that reads them.

===========  ======================================================================
``corpus``   the small valid files of each format
``mutation`` one altered file for each number
``targets``  what is done with an altered file
``batch``    a process that does it for a range of numbers
``harness``  batches one after the other; what died, hung, took memory or was foreign
===========  ======================================================================

``pytest tests/fuzz`` does some hundreds; ``python -m benches.soak --files 20000`` does more.
"""
