"""A candidate beside its null, with intervals: what :func:`tailwatch.compare` is made of.

====================  =========================================================================
room                  what it owns
====================  =========================================================================
``request``           what is asked for
``compare``           the main job
``halves``            how samples are split and cut
``reference``         the human side, prepared once; ``reference_file`` keeps it
``human``             its rows, or numbers in their place; ``preparation`` what is made of them
``registry``          what each metric is; ``metric`` says what has to be known of one
``metrics``           how metrics are computed
``estimates``         value, null, and what their errors are known from
``heaviness``         when second moments have no error
``intervals``         intervals of value, null, and what is retained
``frame``             one row for each metric and level
``questions``         what is asked of a frame; ``findings`` decides, and the gate on them
``result``            what is kept and shown; ``sentence`` says it
``by_class``          the same class by class
====================  =========================================================================
"""
