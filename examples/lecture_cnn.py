"""A convolutional network that learns to read digits, in one page.

    python examples/lecture_cnn.py [epochs]

The lecture's steps, forward and then backward, on the 1,797 handwritten digits of 8x8 pixels from scikit-learn.
"""

import sys

import numpy as np

try:
    from sklearn.datasets import load_digits
except ImportError:
    sys.exit("this example needs scikit-learn: pip install -e '.[demo]'")

import fastconv as F
from fastconv import grad

BATCH, RATE, MOMENTUM = 32, 0.05, 0.9


def initial(rng):
    """Random weights whose size keeps the sums of every layer alike (He et al., 2015)."""

    def he(*shape):
        return (rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(np.float32)

    zero = np.zeros
    return [he(16, 1, 3, 3), zero(16, "f"), he(10, 16 * 4 * 4), zero(10, "f")]


def forward(x, detectors, shift, weight, bias):
    maps = F.conv2d(x, detectors, shift, padding=1)  # step 1: convolution, 16 feature maps
    rectified = F.relu(maps)  # step 1(b): ReLU
    pooled, places = F.max_pool2d(rectified, 2, ceil_mode=True, return_indices=True)  # step 2: max pooling
    flat = F.flatten(pooled, 1)  # step 3: flattening
    scores = F.linear(flat, weight, bias)  # step 4: fully connected layer
    return maps, rectified, pooled, places, flat, scores


def backward(x, target, detectors, shift, weight, bias):
    """Cross-entropy of a batch, and what each weight has to do with it: the same steps, from the last to the first."""
    maps, rectified, pooled, places, flat, scores = forward(x, detectors, shift, weight, bias)
    d = grad.cross_entropy(np.float32(1), scores, target)
    d, d_weight, d_bias = grad.linear(d, flat, weight, bias)
    d = d.reshape(pooled.shape)
    d = grad.max_pool2d(d, rectified, 2, ceil_mode=True, indices=places)
    d = grad.relu(d, maps)
    _, d_detectors, d_shift = grad.conv2d(d, x, detectors, shift, padding=1, need=(False, True, True))
    return F.cross_entropy(scores, target), (d_detectors, d_shift, d_weight, d_bias)


def report(name, x, target, weights):
    """The lecture's last table: classification error beside cross-entropy."""
    scores = forward(x, *weights)[-1]
    wrong = np.mean(scores.argmax(1) != target)
    print(f"{name:12}  classification error {wrong:6.2%}   cross-entropy {F.cross_entropy(scores, target):.3f}")


def main(epochs=20):
    rng = np.random.default_rng(18)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    x = digits.images[order, None].astype(np.float32) / 8 - 1
    target = digits.target[order]
    test = len(x) // 5  # a fifth is kept away from the network

    weights = initial(rng)
    speed = [np.zeros_like(w) for w in weights]
    for epoch in range(epochs):
        losses = []
        for batch in np.split(rng.permutation(np.arange(test, len(x))), range(BATCH, len(x) - test, BATCH)):
            loss, gradients = backward(x[batch], target[batch], *weights)
            for w, v, g in zip(weights, speed, gradients, strict=True):  # gradient descent with momentum
                v *= MOMENTUM
                v -= RATE * g
                w += v
            losses.append(loss)
        print(f"epoch {epoch + 1:2}  mean cross-entropy {np.mean(losses):.3f}")

    report("training set", x[test:], target[test:], weights)
    report("test set", x[:test], target[:test], weights)
    guess = F.softmax(forward(x[:1], *weights)[-1], 1)[0]
    print(f"the first test image is a {target[0]}; the network says {guess.argmax()}, with {guess.max():.1%}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
