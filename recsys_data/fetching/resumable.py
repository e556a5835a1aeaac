"""A downloader that resumes a broken download."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import urllib3

from recsys_data.fetching.errors import DownloadFailed

CHUNK = 1 << 18
ATTEMPTS = 5  # the number of attempts within one call
PAUSE = 0.5  # seconds before the second attempt; later pauses are longer


@dataclass(frozen=True)
class DownloadProgress:
    """The progress of a download: bytes received, bytes in total (None: unknown), bytes per second of this call."""

    received: int
    total: int | None
    rate: float


def print_progress(progress: DownloadProgress) -> None:
    """Write the progress over the last line of standard error if that is a terminal."""
    if sys.stderr.isatty():
        whole = f" of {progress.total / 1e6:,.1f}" if progress.total else ""
        sys.stderr.write(f"\r{progress.received / 1e6:,.1f}{whole} MB, {progress.rate / 1e6:,.1f} MB/s ")
        sys.stderr.flush()


@dataclass(frozen=True)
class ResumingDownloader:
    """A downloader for pooch: bytes are appended to NAME.part, which survives failures and is resumed.

    attempts: the number of attempts within one call (None: ATTEMPTS). timeout: seconds without a byte. on_progress:
    called with a DownloadProgress after each chunk. Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
    """

    attempts: int | None = None
    timeout: float = 20.0
    on_progress: Callable[[DownloadProgress], None] = print_progress

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> bool | None:
        """Download ``url`` to ``output_file``. Raises DownloadFailed after ``attempts`` broken connections."""
        if check_only:
            return requests.head(url, timeout=self.timeout, allow_redirects=True).ok
        part = Path(output_file).parent / (url.rsplit("/", 1)[-1] + ".part")
        reason, attempts = "no attempt was made", self.attempts or ATTEMPTS
        for attempt in range(attempts):
            if attempt:
                time.sleep(PAUSE * attempt)
            try:
                reason = self._append_rest(url, part)
            except requests.HTTPError as error:
                raise DownloadFailed(f"the server answered {error.response.status_code}") from error
            except requests.RequestException as error:
                reason = type(error).__name__
            if not reason:
                part.replace(output_file)
                return None
        raise DownloadFailed(f"{reason}, {attempts} attempts")

    def _append_rest(self, url: str, part: Path) -> str:
        """Append the rest of ``url`` to ``part``; return why it is incomplete, or an empty string."""
        have = part.stat().st_size if part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as answer:
            if answer.status_code == 416:  # the part is complete, or longer than the file
                if _total(answer) == have:
                    return ""
                part.unlink()
                return "the partial file is longer than the file"
            answer.raise_for_status()
            resumed = answer.status_code == 206
            total = _total(answer) if resumed else _length(answer)
            reason = self._write(answer, part, have if resumed else 0, total)
        size = part.stat().st_size
        if not reason and total is not None and size != total:
            reason = "the connection broke"
        return f"{reason} after {size:,} bytes" if reason else ""

    def _write(self, answer: requests.Response, part: Path, have: int, total: int | None) -> str:
        """Write the response after the first ``have`` bytes of ``part``; return why it stopped, or an empty string."""
        start = time.monotonic()
        with part.open("ab" if have else "wb") as file:
            try:
                # read1 returns the bytes that have arrived; a larger read would lose them if the connection breaks
                while chunk := answer.raw.read1(CHUNK):
                    file.write(chunk)
                    rate = (file.tell() - have) / max(time.monotonic() - start, 1e-9)
                    self.on_progress(DownloadProgress(file.tell(), total, rate))
            except urllib3.exceptions.ReadTimeoutError:
                return f"no byte for {self.timeout:g} seconds"
            except urllib3.exceptions.HTTPError:
                return "the connection broke"
        return ""


def _length(answer: requests.Response) -> int | None:
    """The length that the server announces, or None."""
    return int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None


def _total(answer: requests.Response) -> int | None:
    """The full size of the file in a Content-Range header such as ``bytes 5-9/10`` or ``bytes */10``."""
    size = answer.headers.get("Content-Range", "").rpartition("/")[2]
    return int(size) if size.isdigit() else None
