"""What greenrun costs, beside what it is made of. `python -m benchmarks [NAME...]` measures."""
