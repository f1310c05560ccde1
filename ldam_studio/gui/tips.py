"""Tool tips with words that may be a stranger's."""

from __future__ import annotations

import html


def as_tip(text: str) -> str:
    """Return a tool tip that shows this text, even if it looks like HTML.

    As HTML it could name an image, and Qt would open that file, or wait at a pipe for ever.
    """
    if not {"<", "&"} & {*text}:
        return text
    return f"<p>{'<br>'.join(html.escape(line) for line in text.splitlines())}</p>"
