#!/bin/sh
# Installs what a lock lists into the libraries of an image, and leaves out what nothing there runs.
# Usage: install.sh <lock>
set -eu
. "$(dirname "$0")/outside.sh"
libraries=/opt/carillon/libraries
[ -x "$libraries/bin/python" ] || /opt/uv/bin/uv venv --quiet --python "$(command -v python3)" "$libraries"
# The lock is the whole tree but for what is left out on purpose: nothing is added to it.
/opt/uv/bin/uv pip install --quiet --no-cache --link-mode copy --python "$libraries/bin/python" \
  --no-deps --require-hashes -r "$1"
site=$(echo "$libraries"/lib/python3*/site-packages)
printf '%s\n' /opt/carillon/app > "$site/carillon.pth"
# Sources and headers of compiled modules, types, and libraries' own tests.
find "$site" -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' \
  -o -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.a' -o -name '*.lib' \) -delete
find "$site/numpy" -depth -type d -name tests -exec rm -rf {} +
# Of numbers only their plans are asked for; places, carriers and time zones of numbers are not.
rm -rf "$site"/phonenumbers/geodata "$site"/phonenumbers/carrierdata "$site"/phonenumbers/tzdata
rm -f "$libraries/.lock" "$libraries/.gitignore" "$libraries/CACHEDIR.TAG"
"$libraries/bin/python" -m compileall -q --invalidation-mode unchecked-hash "$site"
