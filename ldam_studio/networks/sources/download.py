"""Downloading published weights, with a cache, progress, cancellation and a check of their hash."""

from __future__ import annotations

import hashlib
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ldam_studio.errors import StudioError

OnBytes = Callable[[int, int], bool | None]
CHUNK = 1 << 18
TIMEOUT_S = 20


def fetch(
    url: str,
    on_bytes: OnBytes | None = None,
    folder: Path | None = None,
    file: str | None = None,
) -> Path:
    """Return the file of a URL, from a cache or from the internet.

    Parameters
    ----------
    on_bytes
        Called with the number of bytes received and of all bytes (0 if unknown). Returning False
        stops the download.
    folder
        The cache; torch's own (``torch.hub.get_dir()/checkpoints``) if None.
    file
        The file's name in the cache; that in the URL if None.

    Raises
    ------
    StudioError
        If there is no connection, the download was stopped, or the file does not match the hash in
        its name or the one that the server sends.
    """
    path = cached(url, folder, file)
    folder, name = path.parent, path.name
    if path.exists():
        return path
    partial = path.with_name(f".{name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digest, promised = _download(url, partial, on_bytes)
    except (OSError, urllib.error.URLError) as error:
        partial.unlink(missing_ok=True)
        raise StudioError(
            f"{name} cannot be downloaded ({getattr(error, 'reason', error)}); give a weights file "
            f"(--weights), or put {name} into {folder} yourself."
        ) from None
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    # torchvision's file names end in the first digits of their SHA-256.
    in_name = re.search(r"-([0-9a-f]{8,})\.", url.rpartition("/")[2])
    promises = [promised, in_name.group(1) if in_name else None]
    if not all(digest.startswith(each) for each in promises if each):
        partial.unlink()
        raise StudioError(f"{name} was damaged during the download; try again.")
    partial.replace(path)
    return path


def cached(url: str, folder: Path | None = None, file: str | None = None) -> Path:
    """Return the path under which `fetch` keeps the file of a URL, whether it exists or not."""
    folder = Path(torch.hub.get_dir()) / "checkpoints" if folder is None else folder
    return folder / (file or url.rpartition("/")[2])


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections, and keeps the hash that a hub sends with the first of them."""

    promised: str | None = None

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        found = re.fullmatch(r'"?([0-9a-f]{64})"?', headers.get("X-Linked-ETag") or "")
        self.promised = self.promised or (found.group(1) if found else None)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(url: str, path: Path, on_bytes: OnBytes | None) -> tuple[str, str | None]:
    """Download to `path`; return the SHA-256, and the one that the server announced, if any."""
    digest, had, redirects = hashlib.sha256(), 0, _Redirects()
    opener = urllib.request.build_opener(redirects)
    with opener.open(url, timeout=TIMEOUT_S) as answer, path.open("wb") as file:
        size = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            digest.update(chunk)
            had += len(chunk)
            if on_bytes is not None and on_bytes(had, size) is False:
                raise StudioError("The download was stopped; nothing was kept.")
    if size and had != size:
        raise OSError("the connection broke off")
    return digest.hexdigest(), redirects.promised
