"""A candidate beside its null, with intervals: what :func:`tailwatch.compare` is made of.

====================  =========================================================================
room                  what it owns
====================  =========================================================================
``request``           what is asked for
``compare``           the main job
``halves``            how samples are split and cut
``reference``         the human side, prepared once; ``reference_file`` keeps it
``registry``          what each metric is
``metrics``           how metrics are computed
``estimates``         value, null, and what their errors are known from
``errors``            standard errors from half-samples; ``heaviness`` says when there are none
``intervals``         intervals; ``distances`` has those of U-statistics
``frame``, ``rows``   one row for each metric and level
``result``            what is kept and shown; ``sentence`` says it
``classes``           the same class by class; ``partition``, ``evidence``, ``judgement``
====================  =========================================================================
"""
