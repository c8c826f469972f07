"""What backends share: transposed convolution by phases, large problems in blocks, gradients of borders."""
