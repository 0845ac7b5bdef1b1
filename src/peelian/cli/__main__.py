"""``python -m peelian.cli``."""

from peelian.cli import main

if __name__ == "__main__":
    main()
