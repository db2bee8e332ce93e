#!/usr/bin/env bash
# Installs Debian's Chromium for `npm run test:web`, where it is missing and this may install packages.
set -euo pipefail

if command -v chromium >/dev/null; then
  chromium --version 2>/dev/null
  exit
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "npm run test:web needs Chromium at /usr/bin/chromium: please install it." >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium >/dev/null
chromium --version 2>/dev/null
