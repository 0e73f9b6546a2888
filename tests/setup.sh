#!/usr/bin/env bash
# Finds the programs that only tests need, and installs those missing when it may.
# Nothing is done, and nothing said, when all are there.
set -euo pipefail

cd "$(dirname "$0")/.."
declare -A package_of=([sipp]=sip-tester [espeak-ng]=espeak-ng [chromium]=chromium
  [cc]=gcc [java]=openjdk-17-jre-headless [mvn]=maven
  [kamailio]="kamailio kamailio-tls-modules")
missing=()
for program in "${!package_of[@]}"; do
  # Debian keeps servers where only an administrator looks.
  PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null || missing+=(${package_of[$program]})
done
# What the portal's pictures are written in: without them Chinese is boxes.
declare -A font_of=([Inter]=fonts-inter ["Noto Sans CJK SC"]=fonts-noto-cjk)
for font in "${!font_of[@]}"; do
  found=$(fc-list "$font" 2>/dev/null || true)
  [ -n "$found" ] || missing+=("${font_of[$font]}")
done

# Servers that no package brings; they are kept for this user, outside of the clone.
parts() {
  .venv/bin/python -m services.launcher.parts
  exit
}
[ ${#missing[@]} -eq 0 ] && parts

become=()
if [ "$(id -u)" -ne 0 ]; then
  if sudo -n true 2>/dev/null; then become=(sudo -n); else
    echo "The tests need programs that are not installed. Run: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
fi
if ! command -v apt-get >/dev/null; then
  echo "The tests need these Debian packages, or what they contain: ${missing[*]}" >&2
  exit 1
fi
echo "[+] Installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Tests start servers themselves: what is installed for them must not begin to serve this machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${become[@]}" tee "$policy" >/dev/null
  "${become[@]}" chmod +x "$policy"
  trap 'rm -f "$log"; "${become[@]}" rm -f "$policy"' EXIT
fi
install() {
  DEBIAN_FRONTEND=noninteractive "${become[@]}" apt-get install -y --no-install-recommends \
    "${missing[@]}" >"$log" 2>&1
}
install || { "${become[@]}" apt-get update >"$log" 2>&1 && install; } || {
  cat "$log" >&2
  echo "Installing failed. Run: apt-get update && apt-get install ${missing[*]}" >&2
  exit 1
}
parts
