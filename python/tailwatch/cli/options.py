"""Options that several commands have, each in one place with its help.

Nothing heavy is imported here: the help of a command has to be there at once. What the package
says elsewhere stands here again as text, and a test holds the two to each other.
"""

from __future__ import annotations

__all__ = ["POLICIES"]

POLICIES = (
    "replace | mix:SHARE | mix:SHARE,fresh | accumulate | accumulate_subsample | "
    "accumulate_subsample:ROWS | augment | augment:ROWS | human_only"
)
"""What the text of a policy looks like: :data:`tailwatch.recursion.policy_text.FORMS`."""
