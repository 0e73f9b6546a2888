"""`python -m media_gateway`."""

from __future__ import annotations

from media_gateway.main import main

if __name__ == "__main__":
    main()
