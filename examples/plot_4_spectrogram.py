"""
A filter bank for sound
=======================

A spectrogram is a convolution: a bank of windowed sines and cosines slides over a signal in steps, and the
size of each pair of sums is the strength of one pitch at one time. In this form the bank can have any
pitches; here they are those of a piano.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastconv as F

RATE, STEP, WIDTH = 16_000, 160, 2048  # samples a second; one column for each 10 ms

# %%
# The sound: a rising scale of decaying notes with overtones, and noise.

notes = 220 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
t = np.arange(RATE // 2) / RATE
tones = [sum(np.sin(2 * np.pi * f * k * t) / k for k in (1, 2, 3)) * np.exp(-4 * t) for f in notes]
rng = np.random.default_rng(0)
sound = np.concatenate(tones).astype("f")
sound += 0.05 * rng.standard_normal(sound.size).astype("f")

# %%
# The bank: for each of 60 half tones from 110 Hz a sine and a cosine of 2,048 samples, under a Hann window.

pitches = 110 * 2 ** (np.arange(60) / 12)
time = np.arange(WIDTH) / RATE
phase = 2 * np.pi * pitches[:, None] * time
window = np.hanning(WIDTH)
bank = (np.concatenate([np.cos(phase), np.sin(phase)]) * window / window.sum()).astype("f")

# %%
# One call slides all of it. Windows overlap by more than nine tenths.

run = F.plan(F.conv1d, F.Spec((1, sound.size), "f"), bank[:, None], stride=STEP, padding=WIDTH // 2)
cosine, sine = np.split(run(sound[None]), 2)
power = np.hypot(cosine, sine)
print(power.shape, "by", run.kernel)

figure, axes = plt.subplots(2, 1, figsize=(9, 5.2), layout="constrained", sharex=True, height_ratios=(1, 3))
seconds = sound.size / RATE
axes[0].plot(np.linspace(0, seconds, sound.size), sound, linewidth=0.3)
axes[0].set_ylabel("sound")
db = 20 * np.log10(power + 1e-6)
axes[1].imshow(db, origin="lower", aspect="auto", extent=(0, seconds, -0.5, 59.5), cmap="magma", vmin=-60)
axes[1].set_yticks(range(0, 60, 12), [f"{f:.0f} Hz" for f in pitches[::12]])
axes[1].set_xlabel("seconds")

# %%
# Pooling over time makes it smaller, as a network for sound does: the strongest value of each tenth of a second.

pooled = F.max_pool1d(power, 10, ceil_mode=True)
strongest = pooled[:36].argmax(axis=0)
print("played:", *(f"{f:.0f}" for f in notes))
print("found: ", *(f"{pitches[strongest[5 * k + 2]]:.0f}" for k in range(8)))
