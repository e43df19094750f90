"""Run what is quick: ``python -m benchmarks``. The whole table is ``python -m benchmarks.batch``."""

import sys

from benchmarks import batch, reference

if __name__ == "__main__":
    print("The reference engine\n")
    reference.main()
    print("\nThe batch engine, without vectorbt and large panels\n", flush=True)
    sys.exit(batch.main(["--quick", "--repeat", "3", "--peers", "backtrader"]))
