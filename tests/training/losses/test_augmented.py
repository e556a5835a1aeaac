"""The augmented cross-entropy against NumPy and finite differences; what is left of it as τ grows; sums of costs."""

import numpy as np
import pytest
import torch

from training.losses.augmented import AugmentedCrossEntropy, Summed
from training.losses.diversity import DiversityBias
from training.losses.loss import CrossEntropy

TARGETS = torch.tensor([4, 0, 4])


def drawn(scale=1.0):
    generator = torch.Generator().manual_seed(5)
    shapes = [(3, 4), (6, 4), (6,)]
    return [
        (scale * torch.randn(*s, dtype=torch.float64, generator=generator)).requires_grad_() for s in shapes
    ]  # queries, item vectors, bias


def log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def by_hand(queries, vectors, bias, tau, gamma, output):
    """Eq. of the loss, a target at a time."""
    z = queries @ vectors.T
    p = log_softmax(z + bias)
    predicted = p if output == "biased" else log_softmax(z / tau)
    soft = np.exp(log_softmax(vectors[TARGETS] @ vectors.T / tau))
    costs = []
    for n, y in enumerate(TARGETS):
        divergence = sum(soft[n, j] * (np.log(soft[n, j]) - predicted[n, j]) for j in range(len(vectors)))
        costs.append(-p[n, y] + gamma * tau * divergence)
    return np.array(costs)


@pytest.mark.parametrize("output", ["divided", "biased"])
@pytest.mark.parametrize("gradient", ["through", "stopped"])
def test_value_equals_the_equation(output, gradient):
    tensors = drawn()
    loss = AugmentedCrossEntropy(temperature=3.0, gamma=0.7, output=output, gradient=gradient)
    want = by_hand(*(t.detach().numpy() for t in tensors), 3.0, 0.7, output)
    assert loss(*tensors, TARGETS).item() == pytest.approx(want.mean(), abs=1e-12)
    weights = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64)
    assert loss(*tensors, TARGETS, None, weights).item() == pytest.approx((want * weights.numpy()).mean(), abs=1e-12)


def test_the_gradient_goes_through_the_soft_target_or_not():
    queries, vectors, bias = drawn()

    def of(gradient):
        return lambda *t: AugmentedCrossEntropy(temperature=2.0, gradient=gradient)(*t, TARGETS)

    assert torch.autograd.gradcheck(of("through"), (queries, vectors, bias))

    # stopped: the finite differences of a loss whose softened targets are kept as they were
    soft = torch.softmax(vectors.detach()[TARGETS] @ vectors.detach().T / 2.0, dim=1)

    def with_kept_targets(queries, vectors, bias):
        z = queries @ vectors.T
        ce = torch.nn.functional.cross_entropy(z + bias, TARGETS)
        divergence = (soft * (soft.log() - torch.log_softmax(z / 2.0, dim=1))).sum(dim=1).mean()
        return ce + 0.5 * 2.0 * divergence

    got = torch.autograd.grad(of("stopped")(queries, vectors, bias), (queries, vectors, bias))
    want = torch.autograd.grad(with_kept_targets(queries, vectors, bias), (queries, vectors, bias))
    for g, w in zip(got, want, strict=True):
        assert torch.allclose(g, w, atol=1e-12)
    through = torch.autograd.grad(of("through")(queries, vectors, bias), vectors)[0]
    assert not torch.allclose(through, want[1], atol=1e-4)


def test_plain_tied_cross_entropy_remains_as_the_temperature_grows():
    tensors = drawn()
    plain = CrossEntropy()(*tensors, TARGETS)
    left = [(AugmentedCrossEntropy(temperature=tau)(*tensors, TARGETS) - plain).item() for tau in (1e1, 1e2, 1e3, 1e4)]
    assert all(x > 0 for x in left)
    # τ · KL falls as 1/τ: both softmaxes are uniform up to 1/τ, and a KL is of second order
    np.testing.assert_allclose(np.array(left[1:-1]) / left[2:], 10.0, rtol=0.05)
    assert left[-1] < 1e-3
    got = torch.autograd.grad(AugmentedCrossEntropy(temperature=1e6)(*tensors, TARGETS), tensors)
    for g, w in zip(got, torch.autograd.grad(plain, tensors), strict=True):
        assert torch.allclose(g, w, atol=1e-5)


def test_no_gamma_is_plain_cross_entropy():
    tensors = drawn()
    assert torch.allclose(AugmentedCrossEntropy(gamma=0.0)(*tensors, TARGETS), CrossEntropy()(*tensors, TARGETS))


def test_a_summed_cost_has_the_mean_as_value_and_the_sum_as_gradient():
    tensors = drawn()
    for loss in (AugmentedCrossEntropy(), CrossEntropy()):
        mean, summed = loss(*tensors, TARGETS), Summed(loss)(*tensors, TARGETS, None)
        assert summed.item() == mean.item()
        for g, w in zip(torch.autograd.grad(summed, tensors), torch.autograd.grad(mean, tensors), strict=True):
            assert torch.allclose(g, 3 * w, atol=1e-12)


def test_a_diversity_bias_inside_a_sum_is_given_its_counts():
    tensors, counts = drawn(), np.array([4, 1, 1, 1, 9, 1])
    bound = Summed(DiversityBias(AugmentedCrossEntropy(temperature=3.0, gamma=0.7), delta=0.5)).with_counts(
        counts, "cpu"
    )
    each = by_hand(*(t.detach().numpy() for t in tensors), 3.0, 0.7, "divided")
    want = (each[0] / 3 + each[1] / 2 + each[2] / 3) / 3  # 9^½ = 3, 4^½ = 2
    assert bound(*tensors, TARGETS, None).item() == pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"temperature": 0.0}, "temperature must be above 0, got 0.0"),
        ({"gamma": -1.0}, "gamma must be at least 0, got -1.0"),
        ({"output": "new"}, "output must be one of divided, biased, got 'new'"),
        ({"gradient": "half"}, "gradient must be one of through, stopped, got 'half'"),
    ],
)
def test_bad_fields_are_refused(fields, words):
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        AugmentedCrossEntropy(**fields)
