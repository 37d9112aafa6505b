"""Values beside their nulls, with intervals: what :func:`tailwatch.compare` is made of."""
