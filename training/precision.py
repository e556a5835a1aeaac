"""The precision of the matrix products in training: float32, TF32 on a GPU, or bfloat16 with float32 sums.

A bfloat16 product rounds both factors to bfloat16 and adds their exact products in float32; weights, everything between
the products, losses and scores stay float32. It covers the products that call this module: those of the softmax over
the catalogue and those of the recurrent engine. How they are computed depends on the machine (``products_by``):

    cuBLAS           on a GPU; TF32 for all other products, those of cuDNN's layers included
    oneDNN           a CPU with bfloat16 instructions; products too small to gain from it stay float32
    rounded factors  any other CPU: float32 products of rounded factors, whatever their size; no faster than float32
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from recsys_data.lazy_module import LazyModule

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")

FLOAT32, TF32, BFLOAT16 = PRECISIONS = ("float32", "tf32", "bfloat16")
ONEDNN = "oneDNN"
MIN_MULTIPLICATIONS, MIN_LENGTH = 1 << 23, 32  # oneDNN takes longer than float32 for smaller products
_products_by = ""  # the library of bfloat16 products, in a step that has them; autograd's threads, too, must see it


def check_precision(precision: str, device: str) -> None:
    """Raise ValueError for an unknown precision and for one that the device does not have."""
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}: expected {', '.join(PRECISIONS[:-1])} or {PRECISIONS[-1]}")
    if precision == TF32 and not device.startswith("cuda"):
        raise ValueError("precision tf32 is a format of NVIDIA GPUs, and the device is cpu: use float32 or bfloat16")


def products_by(precision: str, device: str) -> str:
    """The library that computes the products of a precision on a device; "" for float32."""
    if precision == FLOAT32:
        return ""
    if device.startswith("cuda"):
        return "cuBLAS"
    return ONEDNN if _cpu_has_bfloat16() else "rounded factors"


@contextlib.contextmanager
def products_in(precision: str, device: str) -> Iterator[None]:
    """Compute the products of one training step in a precision; nothing changes for float32."""
    if precision == FLOAT32:
        yield
    elif device.startswith("cuda"):
        with _tf32(), _bfloat16("cuBLAS") if precision == BFLOAT16 else contextlib.nullcontext():
            yield
    else:
        with _bfloat16(products_by(precision, device)):
            yield


def is_bfloat16() -> bool:
    """Whether this is a training step with bfloat16 products."""
    return bool(_products_by)


def mm(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """Left · right, in ``out`` if given."""
    if not _products_by:
        return torch.mm(left, right) if out is None else torch.mm(left, right, out=out)
    if _products_by == ONEDNN:
        with _onednn_bfloat16(left, right):
            return torch.mm(left, right, out=out)
    found = _product(left, right)
    return found if out is None else out.copy_(found)


def addmm(bias: torch.Tensor, left: torch.Tensor, right: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """Bias + left · right, in ``out`` if given."""
    if not _products_by:
        return torch.addmm(bias, left, right) if out is None else torch.addmm(bias, left, right, out=out)
    if _products_by == ONEDNN:
        with _onednn_bfloat16(left, right):
            return torch.addmm(bias, left, right, out=out)
    return torch.add(bias, _product(left, right), out=out)


def add_product_(into: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Add left · right to ``into`` in place; return it."""
    if not _products_by:
        return into.addmm_(left, right)
    if _products_by == ONEDNN:
        with _onednn_bfloat16(left, right):
            return into.addmm_(left, right)
    return into.add_(_product(left, right))


def _product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The product of the factors rounded to bfloat16, with float32 sums."""
    left, right = left.bfloat16(), right.bfloat16()
    if left.device.type == "cuda":
        return torch.mm(left, right, out_dtype=torch.float32)
    return left.float() @ right.float()


@contextlib.contextmanager
def _bfloat16(library: str) -> Iterator[None]:
    global _products_by
    _products_by = library
    try:
        yield
    finally:
        _products_by = ""


@contextlib.contextmanager
def _tf32() -> Iterator[None]:
    switches = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [switch.allow_tf32 for switch in switches]
    try:
        for switch in switches:
            switch.allow_tf32 = True
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.allow_tf32 = value


@contextlib.contextmanager
def _onednn_bfloat16(left: torch.Tensor, right: torch.Tensor) -> Iterator[None]:
    """Let oneDNN round the factors of left · right, if the product is large enough to gain from it."""
    lengths = (*left.shape, right.shape[1])
    if min(lengths) < MIN_LENGTH or math.prod(lengths) < MIN_MULTIPLICATIONS:
        yield
        return
    matmul = torch.backends.mkldnn.matmul
    before = matmul.fp32_precision
    try:
        matmul.fp32_precision = "bf16"
        yield
    finally:
        matmul.fp32_precision = before


@functools.cache
def _cpu_has_bfloat16() -> bool:
    """Whether oneDNN rounds the factors of a float32 product on this CPU; without the instructions it does not."""
    left, right = (torch.linspace(-1.0, 1.0, 256 * 256).view(256, 256) * scale for scale in (1.0, 0.7))
    with _onednn_bfloat16(left, right):
        found = left @ right
    from_rounded, from_plain = (found - _product(left, right)).abs().max(), (found - left @ right).abs().max()
    return bool(from_rounded < 0.01 * from_plain)
