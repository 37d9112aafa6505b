"""A candidate beside its null, with intervals: what :func:`tailwatch.compare` is made of.

====================  =========================================================================
room                  what it owns
====================  =========================================================================
``request``           what is asked for
``compare``           the main job
``halves``            how samples are split and cut
``reference``         the human side, prepared once; ``reference_file`` keeps it
``human``             its rows, or numbers in their place; ``preparation`` what is made of them
``registry``          what each metric is
``metrics``           what a metric has to say of itself, and how it is computed
``estimates``         value, null, what their errors are known from, and when they have none
``intervals``         intervals of value, null, and what is retained
``frame``             one row for each metric and level
``change``            how each number changed from a baseline, with its interval
``questions``         what is asked of a frame; ``findings`` decides, and the gate on them
``result``            what is kept and shown; ``sentence`` says it
``by_class``          the same class by class
====================  =========================================================================
"""
