"""What the product is measured by, side by side with what people would otherwise use.

Each module is a command (`python -m benchmarks.stream`), starts all that it needs on loopback in a directory of its
own, prints one table, and leaves nothing behind. `--quick` takes small sizes, for a first look.
"""
