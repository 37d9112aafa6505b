"""Metrics of embeddings, one idea to a module; :mod:`tailwatch.metrics` has their public names.

==================  ================================================================================
``neighbors``       nearest neighbours, which most of the others are made of; divergences
                    and entropy from them
``coverage``        precision, recall, density, coverage, the same of the rarest rows;
                    authenticity: rows that are no copies
``clipped``         density and coverage that outliers cannot lift, as shares of good rows
``copies``          rows that are rows of the reference
``tail_test``       the test of tails; its law, with ties, is in ``tail_law``
``directions``      along directions: mass beyond human quantiles, Wasserstein distance, how well a
                    linear classifier tells
``probe``           that classifier, cross-fitted; folds by content
``modes``           small groups that are kept
``divergence``      Fréchet distance, MMD, energy distance
``inference``       the Fréchet distance without its bias; a test by kernels
``mauve``           divergence of quantised samples
``diversity``       spectrum of the covariance, Vendi score, number of modes, intrinsic dimension
==================  ================================================================================
"""
