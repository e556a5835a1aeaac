from evaluation.results.best_epochs import join_best_epochs, split_best_epoch

LATE = "NOT CONVERGED: stopped by its limit of 50 epochs"


def test_a_caveat_and_its_best_epoch():
    assert split_best_epoch(f"{LATE} (best epoch 47)") == (LATE, 47)
    for other in (LATE, f"{LATE} (best epochs 9, 47)", "odd (best epoch 4) here"):
        assert split_best_epoch(other) == (other, None)


def test_caveats_that_differ_in_their_best_epoch_only_are_one():
    caveats = [f"{LATE} (best epoch 47)", "odd", f"{LATE} (best epoch 9)", "odd", f"{LATE} (best epoch 47)"]
    assert join_best_epochs(caveats) == [f"{LATE} (best epochs 9, 47)", "odd"]
    assert join_best_epochs(caveats[:1]) == caveats[:1]
    assert join_best_epochs([]) == []
