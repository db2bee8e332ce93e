#!/bin/sh
# The installed command: in a checkout it runs on the checkout's own Node (tools/node), elsewhere on the one in the PATH.
file=$0
case $file in */*) ;; *) file=./$file ;; esac
[ -h "$file" ] && file=$(readlink -f "$file")
directory=${file%/*}
package=$directory/../..

node=node
if [ -d "$package/tools/node" ] && [ -x "$package/node_modules/.bin/node" ]; then
  node=$package/node_modules/.bin/node
elif ! command -v node >/dev/null; then
  echo "charlotte: Node.js 22.19 or newer is needed, and there is no node in the PATH; install it" >&2
  exit 2
fi
exec "$node" "$directory/bin.cjs" "$@"
