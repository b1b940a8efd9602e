#!/usr/bin/env bash
# Makes sure that there is a browser to look at a report with: this machine's, or Debian's Chromium, or Playwright's.
#
#   scripts/install_browser.sh .venv/bin/python
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" > /dev/null; then exit 0; fi
done
if [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null && apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium > /dev/null; then
  exit 0
fi
exec "$1" -m playwright install --with-deps chromium
