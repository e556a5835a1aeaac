"""Products in bfloat16: against NumPy's own rounding, the float64 softmax, and fits that are killed and resumed."""

import numpy as np
import pytest
import torch

from recsys_data.interactions import Clock
from recsys_data.sequences import Sequences
from recsys_data.split import TrainingSet
from recsys_models.engine.cells.gru import GRUResetBeforeCell
from recsys_models.engine.unroll import unroll
from recsys_models.stamp import STAMP
from recsys_models.user_gru import StandardGRU
from training.losses.loss import CrossEntropy
from training.losses.softmax_kernels import exponentials
from training.precision import MIN_MULTIPLICATIONS, add_product_, addmm, check_precision, mm, products_by, products_in
from training.run import Run

GPU = pytest.param("cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")])
DEVICES = ["cpu", GPU]


@pytest.fixture
def small_products_too(monkeypatch):
    """Let oneDNN, where it computes the products, round the factors of products of any size."""
    monkeypatch.setattr("training.precision.MIN_MULTIPLICATIONS", 1)
    monkeypatch.setattr("training.precision.MIN_LENGTH", 1)


def rounded(values):
    """Round float32 numbers to bfloat16, to the nearest and ties to even, by their bits."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(np.float64)


def drawn(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def training_set(users=9, items=60):
    rng = np.random.default_rng(0)
    offsets = np.r_[0, np.cumsum(rng.integers(3, 12, users))]
    events = rng.integers(0, items, offsets[-1]).astype(np.int32)
    sequences = Sequences(events, np.arange(len(events)) * 1.0, offsets, np.arange(users, dtype=np.int32))
    return TrainingSet(sequences, users, items, Clock.WITHIN)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.usefixtures("small_products_too")
def test_a_product_rounds_its_factors_and_sums_in_float32(device):
    left, right, bias = drawn(70, 90), drawn(90, 80, seed=1), drawn(80, seed=2)
    exact = rounded(left.numpy()) @ rounded(right.numpy())
    on = [each.to(device) for each in (left, right, bias)]
    with products_in("bfloat16", device):
        found = [mm(on[0], on[1]), mm(on[0], on[1], out=torch.empty(70, 80, device=device)), addmm(on[2], *on[:2]),
                 add_product_(on[2].expand(70, -1).clone(), *on[:2])]  # fmt: skip
    for values, wanted in zip(found, [exact, exact, exact + bias.numpy(), exact + bias.numpy()], strict=True):
        assert values.dtype == torch.float32
        np.testing.assert_allclose(values.cpu(), wanted, rtol=1e-5, atol=1e-4)
    plain = left.numpy().astype(np.float64) @ right.numpy()
    assert np.abs(exact - plain).max() > 1e-2  # the rounding is there to be seen
    np.testing.assert_allclose(mm(left, right), plain, atol=1e-4)  # and gone outside


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision, tolerance", [("float32", 1e-5), ("tf32", 5e-3), ("bfloat16", 2e-2)])
@pytest.mark.usefixtures("small_products_too")
def test_the_softmax_is_that_of_float64_within_the_tolerance(precision, tolerance, device):
    if precision == "tf32" and device == "cpu":
        pytest.skip("a CPU has no TF32")
    queries, factors, bias = drawn(300, 40), drawn(500, 40, seed=1) * 0.3, drawn(500, seed=2)
    targets = torch.from_numpy(np.random.default_rng(3).integers(0, 500, 300))
    exact = [each.double().requires_grad_() for each in (queries, factors, bias)]
    torch.nn.functional.cross_entropy(torch.addmm(exact[2], exact[0], exact[1].T), targets).backward()
    found = [each.to(device).clone().requires_grad_() for each in (queries, factors, bias)]
    with products_in(precision, device):
        CrossEntropy()(*found, targets.to(device)).backward()
    for ours, wanted in zip(found, exact, strict=True):
        error = (ours.grad.cpu().double() - wanted.grad).abs().max() / wanted.grad.abs().max()
        assert error < tolerance
        assert precision != "bfloat16" or error > 1e-5 or ours.dim() == 1


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.usefixtures("small_products_too")
def test_the_gates_of_the_engine_are_those_of_float64_within_the_tolerance(device):
    tensors = [drawn(12, 7, 20), drawn(20, 60, seed=1) / 5, drawn(60, seed=2), drawn(7, 20, seed=3),
               drawn(20, 40, seed=4) / 5, drawn(20, 20, seed=5) / 5]  # fmt: skip

    def run(kind, where, precision):
        own = [each.detach().clone().to(where, kind).requires_grad_() for each in tensors]
        with products_in(precision, where):
            states = unroll(GRUResetBeforeCell(), *own[:3], own[3:4], own[4:])[0]
            states.square().sum().backward()
        return [states.detach().cpu().double(), *(each.grad.cpu().double() for each in own)]

    for ours, wanted in zip(run(torch.float32, device, "bfloat16"), run(torch.float64, "cpu", "float32"), strict=True):
        assert 1e-5 < (ours - wanted).abs().max() / wanted.abs().max() < 3e-2


@pytest.mark.usefixtures("small_products_too")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("make", [StandardGRU, STAMP])
def test_a_fit_has_float32_weights_and_the_same_bits_killed_and_resumed(make, device, tmp_path):
    def kill(record):
        if record["event"] == "epoch" and record["epoch"] == 2:
            raise KeyboardInterrupt

    def fitted(precision, folder=None, log=lambda record: None):
        run = Run(4, device=device, checkpoint=folder, log=log, precision=precision)
        return list(make(dim=8, epochs=3, batch_size=16).fit(training_set(), run).network_.state_dict().values())

    calm = fitted("bfloat16")
    assert all(weight.dtype == torch.float32 for weight in calm)
    with pytest.raises(KeyboardInterrupt):
        fitted("bfloat16", tmp_path, kill)
    assert all(map(torch.equal, calm, fitted("bfloat16", tmp_path)))
    plain = fitted("float32")
    assert not all(map(torch.equal, calm, plain))
    assert all((one - other).abs().max() < 0.02 for one, other in zip(calm, plain, strict=True))


def test_what_a_device_does_not_have_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="tf32 is a format of NVIDIA GPUs, and the device is cpu: use float32 or"):
        check_precision("tf32", "cpu")
    with pytest.raises(ValueError, match="unknown precision 'half': expected float32, tf32 or bfloat16"):
        check_precision("half", "cuda:0")
    check_precision("tf32", "cuda:0")
    assert products_by("float32", "cpu") == "" and products_by("bfloat16", "cpu") in ("oneDNN", "rounded factors")


def test_the_switches_of_a_step_are_set_and_restored(monkeypatch):
    """What the machine lacks is pretended: oneDNN's switch on a CPU, TF32's on a GPU; both may be set anywhere."""
    matmul, cuda = torch.backends.mkldnn.matmul, torch.backends.cuda.matmul
    before = matmul.fp32_precision, torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    monkeypatch.setattr("training.precision._cpu_has_bfloat16", lambda: True)
    left, right = drawn(70, 90), drawn(90, 80, seed=1)
    seen, plain = [], torch.mm

    def watched(*factors, out=None):
        seen.append(matmul.fp32_precision)
        return plain(*factors, out=out)

    monkeypatch.setattr("training.precision.torch.mm", watched)
    large = drawn(40, 512), drawn(512, 512, seed=1)
    assert large[0].numel() * 512 > MIN_MULTIPLICATIONS > left.numel() * 80
    with pytest.raises(KeyboardInterrupt), products_in("bfloat16", "cpu"):
        mm(*large)
        assert torch.equal(mm(left, right), left @ right)  # too small to gain
        assert torch.equal(mm(large[0][:20], large[1]), large[0][:20] @ large[1])  # too few rows
        raise KeyboardInterrupt
    mm(*large)
    assert seen == ["bf16", before[0], before[0], before[0]]
    monkeypatch.undo()
    with products_in("tf32", "cuda:0"):
        assert cuda.allow_tf32 and torch.backends.cudnn.allow_tf32
        assert torch.equal(mm(left, right), left @ right)
    assert not cuda.allow_tf32
    assert before == (matmul.fp32_precision, torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32)
    with products_in("bfloat16", "cuda:0"):
        assert not torch.equal(mm(left, right), left @ right)


@pytest.mark.parametrize("items", [1, 63, 64, 257])
def test_the_compiled_exponentials_are_those_of_float64(items):
    rng = np.random.default_rng(0)
    scores = (rng.standard_normal((30, items)) * 30).astype(np.float32)  # some exponentials are below the least float32
    scores[0] -= 200.0
    targets = rng.integers(0, items, 30)
    exact = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    sums, at = np.exp(exact).sum(axis=1), (np.arange(30), targets)
    wanted = np.exp(exact)
    wanted[at] -= sums
    losses, totals = np.empty((2, 30), np.float32)
    exponentials(scores, targets, losses, totals)
    np.testing.assert_allclose(scores, wanted, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(totals, sums, rtol=1e-6)
    np.testing.assert_allclose(losses, np.log(sums) - exact[at], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 70, 129])
def test_a_score_that_is_not_finite_ends_in_a_loss_that_is_not(value, place):
    scores = drawn(2, 130).numpy()
    scores[1, place] = value
    losses, totals = np.empty((2, 2), np.float32)
    exponentials(scores, np.array([3, 3]), losses, totals)
    assert np.isfinite(losses[0]) and not np.isfinite(losses[1])


def test_weights_of_targets_count_in_bfloat16_as_in_float32():
    queries, factors, weights = drawn(300, 40), drawn(500, 40, seed=1) * 0.3, drawn(300, seed=2).abs()
    targets, found = torch.arange(300), []
    for precision in ("float32", "bfloat16"):
        own = [each.clone().requires_grad_() for each in (queries, factors)]
        with products_in(precision, "cpu"):
            loss = CrossEntropy()(*own, None, targets, weights=weights)
            loss.backward()
        found.append([loss.detach(), *(each.grad for each in own)])
    for plain, ours in zip(*found, strict=True):
        assert (plain - ours).abs().max() <= 2e-2 * plain.abs().max()
