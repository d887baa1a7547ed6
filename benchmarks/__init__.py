"""Benchmarks: ``python -m benchmarks NAME``; each module has ``main(argv)`` and prints a Markdown table."""
