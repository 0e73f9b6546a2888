"""`python -m media_gateway.edge`."""

from __future__ import annotations

from media_gateway.edge.main import main

if __name__ == "__main__":
    main()
