"""Matrix products, and exact sums of integers for all products."""
