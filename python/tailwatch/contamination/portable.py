"""What travels between processes as bytes that are checked, and never as code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = ["Portable"]


class Portable(ABC):
    """To bytes and back, by name and by pickle alike."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Return all that this is as bytes that :meth:`from_bytes` checks."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Make one of what :meth:`to_bytes` returned; nothing in it is executed.

        Parameters
        ----------
        data
            The bytes, which are checked.

        Returns
        -------
        Self
            Equal in every bit to the object that the bytes are of.

        Raises
        ------
        SourceError
            The bytes are of something else, or are not as :meth:`to_bytes` returned them.
        """
        return cls._of_bytes(bytes(data))

    @classmethod
    @abstractmethod
    def _of_bytes(cls, data: bytes) -> Self:
        """Check the bytes and make one of them."""

    def __reduce__(self) -> tuple[Callable[[bytes], Self], tuple[bytes]]:
        """Travel between processes as checked bytes."""
        return type(self).from_bytes, (self.to_bytes(),)
