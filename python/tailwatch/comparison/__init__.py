"""A candidate beside its null, with intervals: what :func:`tailwatch.compare` is made of.

``compare`` asks, ``samples`` splits, ``registry`` says what each metric is, ``families`` computes
them, ``intervals`` gives them intervals, ``result`` keeps and shows them, ``sentence`` says them.
"""
