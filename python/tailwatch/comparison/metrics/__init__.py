"""How metrics are computed, a room for each kind of data that they share.

=================  ============================================================================
room               metrics
=================  ============================================================================
``neighbors``      balls, tails and rarity; authenticity; divergences from nearest neighbours;
                   rows that are rows of the reference
``moments``        means and covariances; the Vendi score
``kernels``        mean discrepancies
``clusters``       modes; MAUVE
``directions``     tails and optimal transport along directions
``family``         what such a room offers, and what a metric says of itself
=================  ============================================================================
"""
