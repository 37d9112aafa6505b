"""Metrics of embeddings, one idea to a module; :mod:`tailwatch.metrics` has their public names.

==================  ================================================================================
``neighbors``       nearest neighbours, which most of the others are made of
``coverage``        precision, recall, density, coverage, and the same of the rarest rows
``tail_test``       the test of tails; its law, with ties, is in ``tail_law``
``directional``     mass beyond human quantiles along directions
``modes``           small groups that are kept
``authenticity``    samples that are no copies
``divergence``      Fréchet distance, MMD, energy distance; ``mmd_test`` tests, ``extrapolation``
                    takes the bias off
``sliced``          Wasserstein distance along directions
``knn_divergence``  Kullback–Leibler and Jensen–Shannon divergence from neighbours
``mauve``           divergence of quantised samples
``diversity``       spectrum of the covariance, Vendi score
``dimension``       intrinsic dimension
==================  ================================================================================
"""
