"""The benchmarks are run from a checkout, and are not part of the installed package."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))
