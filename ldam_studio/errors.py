"""The one exception whose message is shown to the user, and words that come from files."""

from __future__ import annotations

MOST_LETTERS = 700  # of a sentence; longer names in it are shortened
MOST_IN_WORD = 160  # letters of one word, such as a path or the name of a tensor


class StudioError(Exception):
    """A problem that the user can solve, described in one plain sentence.

    The message says what went wrong, where (which file, layer or setting), and what to do. The
    command line prints it on standard error and exits with code 2; the window shows it and
    continues. Names from files are part of it, so it is made `plain`.
    """

    def __init__(self, sentence: str = "") -> None:
        super().__init__(plain(sentence))


def plain(text: str, most: int = MOST_LETTERS) -> str:
    """Return text that may come from a stranger's file as it can be shown and printed anywhere.

    Control characters, which could steer a terminal, are escaped, and what is long is shortened in
    the middle.

    Parameters
    ----------
    most
        Number of letters; those of a single word are limited further.
    """
    if len(text) > 4 * most:  # before the work that grows with the length
        text = shortened(text, 4 * most)
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    if len(shown) > MOST_IN_WORD:
        shown = " ".join(shortened(word, MOST_IN_WORD) for word in shown.split(" "))
    return shortened(shown, most)


def shortened(text: str, most: int) -> str:
    """Return text of at most this many letters; longer text lacks its middle."""
    if len(text) <= most:
        return text
    head = (most - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (most - 1 - head) :]}"


def in_short(error: BaseException) -> str:
    """Return an exception's type and the first line of its message, for use in a sentence."""
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0].strip()}" if said else type(error).__name__
