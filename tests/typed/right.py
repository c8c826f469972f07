"""A program that calls every public function as it may be called: type checkers accept it, and it runs."""

from __future__ import annotations

from typing import Any, assert_type, cast

import numpy as np

import fastconv as F
from fastconv.core.costs import Table
from fastconv.core.kernel import Kernel, Run
from fastconv.core.problems.activation import ElementwiseProblem
from fastconv.typing import Activation, Layout, Padding, Size

signal, image, volume = np.ones((1, 2, 6)), np.ones((1, 2, 6, 6)), np.ones((1, 2, 6, 6, 6))
line, square, cube = np.ones((2, 2, 3)), np.ones((2, 2, 3, 3)), np.ones((2, 2, 3, 3, 3))
vector, matrix, bias = np.array([-1.0, 0.5, 2.0]), np.ones((3, 3)), np.zeros(2)
Triple = tuple[np.ndarray | Any, np.ndarray | Any, np.ndarray | Any]


def layer(x: np.ndarray, size: Size, padding: Padding, layout: Layout, activation: Activation | None) -> np.ndarray:
    """A wrapper of a user's own, with our types."""
    y = F.conv2d(x, np.ones((2, 2, 3, 3)), padding=padding, layout=layout, activation=activation)
    return F.avg_pool2d(y, size, layout=layout)


class Maximum(Kernel[ElementwiseProblem]):
    """A kernel of a user's own, with our types."""

    op, backend, algorithm = "elementwise", "mine", "maximum"

    def reject(self, problem: ElementwiseProblem) -> str | None:
        return None if problem.function == "relu" else "does relu only"

    def cost(self, problem: ElementwiseProblem, table: Table) -> float:
        return problem.bytes / table.bandwidth

    def workspace(self, problem: ElementwiseProblem) -> int:
        return 0

    def error(self, problem: ElementwiseProblem) -> float:
        return 0.0

    def prepare(self, problem: ElementwiseProblem, constants: tuple[Any, ...], threads: int) -> Run:
        def run(x: np.ndarray, out: np.ndarray) -> None:
            np.maximum(x, 0, out=out)

        return run


def convolutions() -> None:
    assert_type(F.conv1d(signal, line, padding="same", activation="relu"), np.ndarray)
    assert_type(F.conv2d(image, square, bias, 1, 1, (1, 1), 1, layout="NCHW", padding_mode="reflect"), np.ndarray)
    assert_type(F.conv3d(volume, cube, stride=[2, 2, 2], padding=[(0, 1), (1, 0), (1, 1)]), np.ndarray)
    F.conv2d(image.tolist(), square, stride=np.int64(2), padding=np.array([1, 1]), backend="numpy", threads=1)
    F.conv2d(image[0], square, padding="same_lower", tol=0, max_workspace=1 << 20, out=np.empty((2, 6, 6)))
    F.conv_transpose1d(signal, line, bias, stride=2, output_padding=1, padding="valid")
    F.conv_transpose2d(image, square, padding=[(1, 0), (0, 1)], padding_mode="zeros")
    F.conv_transpose3d(volume, cube, None, 2, (1, 1, 1), 1, 1, 1)
    layer(image, 2, "same", "NCHW", "gelu")


def pooling() -> None:
    assert_type(F.max_pool1d(signal, 2), np.ndarray)
    assert_type(F.max_pool2d(image, (2, 2), stride=None, ceil_mode=True, return_indices=False), np.ndarray)
    assert_type(F.max_pool2d(image, 2, return_indices=True), tuple[np.ndarray, np.ndarray])
    assert_type(F.max_pool3d(volume, 2, padding=[(1, 0), (0, 1), (1, 1)]), np.ndarray)
    F.max_pool2d(image, 2, return_indices=bool(image.size), layout="NCHW", backend="reference")
    for power in (1.0, 2):
        F.lp_pool1d(signal, power, 2)
        F.lp_pool2d(image, power, 2, ceil_mode=True)
        F.lp_pool3d(volume, power, [2, 2, 2])
    F.avg_pool1d(signal, 3, padding="same_upper", count_include_pad=False)
    assert_type(F.avg_pool2d(image, 2, divisor_override=3), np.ndarray)
    F.avg_pool3d(volume, np.int64(2), out=np.empty((1, 2, 3, 3, 3)))
    assert_type(F.adaptive_max_pool1d(signal, 2, True), tuple[np.ndarray, np.ndarray])
    assert_type(F.adaptive_max_pool2d(image, (2, None)), np.ndarray)
    assert_type(F.adaptive_max_pool3d(volume, 2, return_indices=True), tuple[np.ndarray, np.ndarray])
    F.adaptive_avg_pool1d(signal, 2)
    F.adaptive_avg_pool2d(image, [3, None], layout="NHWC")
    F.adaptive_avg_pool3d(volume, (1, 2, 3))
    F.global_max_pool(image, layout="NHWC")
    assert_type(F.global_avg_pool(image), np.ndarray)
    for unpool, x, pool in (
        (F.max_unpool1d, signal, F.max_pool1d),
        (F.max_unpool2d, image, F.max_pool2d),
        (F.max_unpool3d, volume, F.max_pool3d),
    ):
        y, where = pool(x, 2, return_indices=True)
        unpool(y, where, 2, output_size=x.shape[2:])


def products() -> None:
    assert_type(F.gemm(matrix, matrix, matrix, alpha=2, beta=0.5, trans_a=True, activation="relu"), np.ndarray)
    F.gemm(matrix.astype(complex), matrix, alpha=1j, bias=vector)
    F.matmul([[1, 2]], [[3], [4]], algorithm="auto")
    F.linear(matrix, matrix, vector, activation="silu")


def activations() -> None:
    assert_type(F.relu(vector, out=vector.copy()), np.ndarray)
    F.relu6([1, 2, 3], False, backend="numpy", threads=2)
    F.leaky_relu(vector, 0.1)
    F.elu(vector, alpha=2)
    F.celu(vector, 2.0)
    F.selu(vector)
    F.silu(vector)
    F.mish(vector)
    F.sigmoid(0.5)
    F.logsigmoid(vector)
    F.tanh(vector)
    F.softplus(vector, 2.0, threshold=10)
    F.softsign(vector)
    F.hardtanh(vector, -2.0, max_val=2)
    F.hardswish(vector)
    F.hardsigmoid(vector)
    F.hardshrink(vector, 0.1)
    F.softshrink(vector, lambd=0.1)
    F.tanhshrink(vector)
    F.gelu(vector, "tanh")
    F.threshold(vector, 0.5, -1)
    F.clamp(vector, 0, max=np.array([1.0, 2.0, 3.0]))
    F.prelu(vector, [0.1])
    F.glu(np.ones((2, 4)), dim=1)
    F.softmax(vector, 0, np.float64)
    F.log_softmax(vector, 0, dtype="float64")
    assert_type(F.softmin(vector, dim=-1), np.ndarray)


def losses() -> None:
    assert_type(F.cross_entropy(matrix, [0, 1, 2], vector + 2, reduction="none", label_smoothing=0.1), np.ndarray)
    F.nll_loss(matrix, np.array([0, 1, 2]), ignore_index=1, reduction="sum")


def shapes() -> None:
    F.flatten(image, 1)
    F.pad(image, (1, -1), value=2.0)
    F.pad(signal, np.array([1, 1]), "reflect")
    F.unfold(image, (2, 2), padding=1, stride=2)
    F.fold(np.ones((4, 4)), 3, 2)


def filters() -> None:
    grey = np.zeros((4, 4), np.uint8)
    assert_type(F.filters.apply(grey, [[0, 1], [1, 0]], "zeros"), np.ndarray)
    F.filters.sharpen(grey, padding_mode="reflect")
    F.filters.blur(grey, "wrap", divisor=4.5, dtype=np.float32)
    F.filters.edge_enhance(grey)
    F.filters.edge_detect(grey, offset=128, absolute=True, layout="HWC", out=grey)
    F.filters.sobel_x(grey)
    F.filters.sobel_y(grey)
    F.filters.sobel(grey)
    F.filters.emboss(grey)


def gradients_of_sums() -> None:
    dx, dw, db = F.grad.conv2d(np.ones((1, 2, 6, 6)), image, square, bias, padding="same", activation="relu")
    assert dx.shape == image.shape and dw.shape == square.shape and db.shape == bias.shape
    assert_type(F.grad.conv1d(np.ones((1, 2, 4)), signal, line, need=(True, False, False)), Triple)
    F.grad.conv3d(np.ones((1, 2, 4, 4, 4)), volume, F.Spec(cube.shape, cube.dtype), need=(False, True, False))
    F.grad.conv_transpose1d(np.ones((1, 2, 8)), signal, line, padding="valid")
    F.grad.conv_transpose2d(np.ones((1, 2, 8, 8)), image, square, layout="NCHW")
    F.grad.conv_transpose3d(np.ones((1, 2, 8, 8, 8)), volume, cube, backend="numpy")
    assert len(F.grad.gemm(matrix, matrix, matrix, alpha=2.0, trans_b=True)) == 3
    da, db = F.grad.matmul(matrix, matrix, matrix, need=(True, True))
    assert da.shape == db.shape
    assert_type(F.grad.linear(matrix, matrix, matrix, vector, activation="tanh"), Triple)


def gradients_of_pooling() -> None:
    F.grad.max_pool1d(np.ones((1, 2, 3)), signal, 2)
    F.grad.max_pool2d(np.ones((1, 2, 3, 3)), image, 2, padding="valid")
    F.grad.max_pool3d(np.ones((1, 2, 3, 3, 3)), volume, 2, layout="NCHW")
    F.grad.avg_pool1d(np.ones((1, 2, 3)), F.Spec(signal.shape, signal.dtype), 2)
    F.grad.avg_pool2d(np.ones((1, 2, 3, 3)), image, 2, divisor_override=2)
    F.grad.avg_pool3d(np.ones((1, 2, 3, 3, 3)), volume, 2, need=(True,))
    F.grad.lp_pool1d(np.ones((1, 2, 3)), signal, 2.0, 2)
    F.grad.lp_pool2d(np.ones((1, 2, 3, 3)), image, 2.0, 2)
    F.grad.lp_pool3d(np.ones((1, 2, 3, 3, 3)), volume, 2.0, 2)
    F.grad.adaptive_max_pool1d(np.ones((1, 2, 2)), signal, 2)
    F.grad.adaptive_max_pool2d(np.ones((1, 2, 2, 6)), image, (2, None))
    F.grad.adaptive_max_pool3d(np.ones((1, 2, 2, 2, 2)), volume, 2)
    F.grad.adaptive_avg_pool1d(np.ones((1, 2, 2)), signal, 2)
    F.grad.adaptive_avg_pool2d(np.ones((1, 2, 2, 2)), image, 2)
    F.grad.adaptive_avg_pool3d(np.ones((1, 2, 2, 2, 2)), volume, 2)
    F.grad.global_max_pool(np.ones((1, 2, 1, 1)), image)
    F.grad.global_avg_pool(np.ones((1, 2, 1, 1)), image, backend="numpy")
    where = np.zeros((1, 2, 1), np.int64)
    F.grad.max_unpool1d(np.ones((1, 2, 2)), np.ones((1, 2, 1)), where, 2)
    F.grad.max_unpool2d(np.ones((1, 2, 2, 2)), np.ones((1, 2, 1, 1)), where[..., None], 2)
    F.grad.max_unpool3d(np.ones((1, 2, 2, 2, 2)), np.ones((1, 2, 1, 1, 1)), where[..., None, None], 2)


def gradients_of_the_others() -> None:
    F.grad.relu(vector, vector, need=(True,))
    F.grad.relu6(vector, vector, False)
    F.grad.leaky_relu(vector, vector, 0.1)
    F.grad.elu(vector, vector, alpha=2.0)
    F.grad.celu(vector, vector)
    F.grad.selu(vector, vector)
    F.grad.silu(vector, vector)
    F.grad.mish(vector, vector)
    F.grad.sigmoid(vector, vector, backend="numpy")
    F.grad.logsigmoid(vector, vector)
    F.grad.tanh(vector, vector)
    F.grad.softplus(vector, vector, 2.0, 10.0)
    F.grad.softsign(vector, vector)
    F.grad.hardtanh(vector, vector, -2.0, 2.0)
    F.grad.hardswish(vector, vector)
    F.grad.hardsigmoid(vector, vector)
    F.grad.hardshrink(vector, vector, 0.1)
    F.grad.softshrink(vector, vector, lambd=0.1)
    F.grad.tanhshrink(vector, vector)
    F.grad.gelu(vector, vector, approximate="tanh")
    F.grad.threshold(vector, vector, 0.5, -1)
    F.grad.clamp(vector, vector, 0, 1)
    F.grad.prelu(vector, vector, [0.1])
    F.grad.glu([1.0], [4.0, 0.0])
    F.grad.softmax(vector, vector, 0)
    F.grad.log_softmax(vector, vector, 0, dtype="float64")
    F.grad.softmin(vector, vector, dim=0)
    F.grad.cross_entropy(1.0, matrix, [0, 1, 2], reduction="sum")
    F.grad.nll_loss(np.ones(3), matrix, [0, 1, 2], reduction="none")
    F.grad.flatten(np.ones((1, 72)), image, 1)
    F.grad.pad(np.ones((1, 2, 8)), signal, [1, 1], "symmetric")
    F.grad.unfold(np.ones((1, 8, 25)), image, 2)
    F.grad.fold(np.ones((1, 3, 3)), np.ones((4, 4)), 3, 2)


@F.options(threads=1)
def choosing() -> None:
    with F.options(backend="numpy", algorithm="auto", threads=1, tol=1e-5, max_workspace=1 << 20):
        run = F.plan(F.conv2d, F.Spec((1, 2, 6, 6), np.float64), square, padding=1)
    F.set_options(backend="auto", algorithm="auto", threads=1, tol=None, max_workspace=None)
    assert_type(run, F.Plan)
    run(image, out=np.empty((1, 2, 6, 6)))
    run.with_kernel(run.kernel).explain()
    F.plan(F.conv2d, input=F.Spec((1, 2, 6, 6), "float64"), weight=square)
    F.plan(F.max_pool2d, image, 2, return_indices=True)(image)
    F.plan(F.grad.relu, F.Spec((3,), np.float64), vector)
    F.compare(F.relu, F.Spec((8,)), peers=(), seconds=0.001, rounds=1, door="called").to_dict()
    sorted(F.backends())
    try:
        F.relu(np.array([object()]))
    except (F.DTypeError, F.ShapeError, F.UnsupportedError, F.MissingExtraError):
        F.__version__.split(".")


def registering() -> None:
    kernel = Maximum()
    F.register(kernel)
    F.relu(image, backend=cast(Any, kernel.backend))  # no type can know it
    F.unregister(kernel)


if __name__ == "__main__":
    convolutions()
    pooling()
    products()
    activations()
    losses()
    shapes()
    filters()
    gradients_of_sums()
    gradients_of_pooling()
    gradients_of_the_others()
    choosing()
    registering()
