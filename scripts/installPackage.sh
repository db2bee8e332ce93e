#!/usr/bin/env bash
# Installs one of Debian's packages for a tier of tests, where its program is missing and this may install packages:
# scripts/installPackage.sh PROGRAM [PACKAGE].
set -euo pipefail

program=$1
package=${2:-$1}
if ! command -v "$program" >/dev/null; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "$program is missing: please install $package." >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "$package" >/dev/null
fi
"$program" --version 2>/dev/null
