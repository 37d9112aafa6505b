"""A comparison class by class: what :func:`tailwatch.compare` does with ``per``.

=============  ================================================================================
room           what it owns
=============  ================================================================================
``partition``  which rows are of which class
``classes``    each class compared as if it were alone
``judgement``  how sure it is that the tails of a class changed; verdicts, and their order
``result``     what is kept, shown and said
=============  ================================================================================
"""
