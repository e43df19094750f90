"""Everything known about the market; knows nothing of strategies or engines."""

import sys

from data.former_names import FormerNames

sys.meta_path.append(FormerNames())
