"""`python -m outdo`, which is also what a launcher of several processes can start."""

import sys

from outdo.cli import main

if __name__ == "__main__":
    sys.argv[0] = "outdo"
    main()
