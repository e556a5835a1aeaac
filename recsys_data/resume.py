"""A downloader that goes on where a broken download stopped."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

CHUNK = 1 << 18


class DownloadFailed(RuntimeError):
    """No complete file came from an address."""


@dataclass(frozen=True)
class ResumingDownloader:
    """A downloader in pooch's sense: bytes gather in NAME.part, which outlives failures and is taken up again.

    attempts: how often a broken connection is taken up within one call. timeout: seconds without a byte.
    Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
    """

    attempts: int = 5
    timeout: float = 20.0
    pause: float = 0.5

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> bool | None:
        """Write what ``url`` holds to ``output_file``. Raises DownloadFailed after ``attempts`` broken connections."""
        if check_only:
            return requests.head(url, timeout=self.timeout, allow_redirects=True).ok
        part = Path(output_file).parent / (url.rsplit("/", 1)[-1] + ".part")
        reason = "no attempt was made"
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(self.pause * attempt)
            try:
                if self._take(url, part):
                    part.replace(output_file)
                    return None
                reason = f"the connection broke off after {part.stat().st_size:,} bytes"
            except requests.HTTPError as error:
                raise DownloadFailed(f"the server answered {error.response.status_code}") from error
            except requests.RequestException as error:
                reason = type(error).__name__
        raise DownloadFailed(f"{reason}, {self.attempts} times tried")

    def _take(self, url: str, part: Path) -> bool:
        """Append the rest of ``url`` to ``part``; whether the file is now complete."""
        have = part.stat().st_size if part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as answer:
            if answer.status_code == 416:  # nothing beyond what we have, or our part is longer than the file
                whole = _total(answer)
                if whole == have:
                    return True
                part.unlink()
                return False
            answer.raise_for_status()
            resumed = answer.status_code == 206
            total = _total(answer) if resumed else _length(answer)
            with part.open("ab" if resumed else "wb") as file:
                try:
                    for chunk in answer.iter_content(CHUNK):
                        file.write(chunk)
                except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                    return False
        return total is None or part.stat().st_size == total


def _length(answer: requests.Response) -> int | None:
    """The length the server promises, if it does."""
    return int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None


def _total(answer: requests.Response) -> int | None:
    """The full size of the file in a Content-Range header such as ``bytes 5-9/10`` or ``bytes */10``."""
    size = answer.headers.get("Content-Range", "").rpartition("/")[2]
    return int(size) if size.isdigit() else None
