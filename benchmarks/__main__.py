"""Run all benchmarks: ``python -m benchmarks``."""

from benchmarks import reference

if __name__ == "__main__":
    reference.main()
