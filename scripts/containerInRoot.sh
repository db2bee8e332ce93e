#!/usr/bin/env bash
# Builds and runs examples/container where no engine can: each of its lines in a clean root of Debian, in namespaces, as root. It needs
# debootstrap, the network, and the tarball of `npm pack`: scripts/containerInRoot.sh charlotte-*.tgz
set -euo pipefail
tarball=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
file=examples/container/Containerfile

place=$(mktemp -d)
root=$place/root
container=
clear() {
  [ -z "$container" ] || kill -KILL "$container" 2>/dev/null || true
  rm -rf --one-file-system "$place"
}
trap clear EXIT

say() { printf '==> %s\n' "$*"; }
fail() {
  echo "$*" >&2
  exit 1
}

user=root
workdir=/
variables=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

# Where a line runs, and what it needs of the machine: devices, and the settings and the cache of npm.
enter='
  root=$1; shift
  mount --rbind /dev "$root/dev" && mount -t proc proc "$root/proc"
  mkdir -p "$root/mnt/cache"
  touch "$root/mnt/npmrc" "$root/mnt/ca.crt"
  mount --bind "$NPM_CACHE" "$root/mnt/cache"
  [ ! -e "$NPM_CONFIG" ] || mount --bind "$NPM_CONFIG" "$root/mnt/npmrc"
  [ ! -e "$NPM_CA" ] || mount --bind "$NPM_CA" "$root/mnt/ca.crt"
  hostname charlotte
  exec "$@"'
NPM_CACHE=$(npm config get cache) NPM_CONFIG=$(npm config get userconfig) NPM_CA=$(npm config get cafile)
export NPM_CACHE NPM_CONFIG NPM_CA
mkdir -p "$NPM_CACHE"

# Begins a command line in the root: as the user and in the directory of the lines so far, with their variables.
entering() {
  local home=/root
  [ "$user" = root ] || home=/home/$user
  enter_root=(unshare --mount --uts --pid --fork --kill-child sh -euc "$enter" sh "$root")
  enter_root+=(chroot --userspec "$user" --groups "" "$root" env -i "HOME=$home" "${variables[@]}" "${extra[@]}" env "--chdir=$workdir")
}
extra=(npm_config_userconfig=/mnt/npmrc npm_config_cache=/mnt/cache npm_config_prefer_offline=true)
[ ! -e "$NPM_CA" ] || extra+=(npm_config_cafile=/mnt/ca.crt)

# The image that the file begins with: Debian, Node and npm in /usr/local, and the user `node`.
from() {
  local release node npm
  [[ $1 =~ ^node:24-([a-z]+)-slim$ ]] || fail "not known here: FROM $1"
  release=${BASH_REMATCH[1]}
  node=$(node_modules/.bin/node -p process.execPath)
  npm=$(dirname "$(dirname "$(realpath "$(command -v npm)")")")
  debootstrap --variant=minbase "$release" "$root" http://deb.debian.org/debian >"$place/log" || fail "$(tail "$place/log")"
  cp "$node" "$root/usr/local/bin/node"
  cp -r "$npm" "$root/usr/local/lib/npm"
  ln -s ../lib/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/"
  chroot "$root" useradd --uid 1000 --create-home --shell /bin/bash node
}

words() { node -e 'for (const word of JSON.parse(process.argv[1])) console.log(word)' "$1"; }

while IFS= read -r line; do
  [[ $line =~ ^[A-Z] ]] || continue
  say "$line"
  rest=${line#* }
  entering
  case $line in
    FROM\ *) from "$rest" ;;
    RUN\ *) "${enter_root[@]}" sh -euc "$rest" ;;
    COPY\ *) cp "$tarball" "$root${rest##* }" ;;
    USER\ *) user=$rest ;;
    ENV\ *) variables+=("$rest") ;;
    WORKDIR\ *) workdir=$rest && mkdir -p "$root$rest" ;;
    VOLUME\ *) [ "$(stat --format '%u %a' "$root$rest")" = "1000 700" ] || fail "it is not its owner's alone: $rest" ;;
    STOPSIGNAL\ *) stop=$rest ;;
    HEALTHCHECK\ *) mapfile -t health < <(words "${line##* CMD }") ;;
    ENTRYPOINT\ *) mapfile -t entrypoint < <(words "$rest") ;;
    CMD\ *) mapfile -t command < <(words "$rest") ;;
    *) fail "not known here: $line" ;;
  esac
done <"$file"

say "its commands run"
extra=()
entering
# What an engine does for `docker run`, in the background: process 1 is the entrypoint.
start() {
  "${enter_root[@]}" "${entrypoint[@]}" "${command[@]}" >"$place/out" 2>&1 &
  container=$!
  until first=$(pgrep --parent "$container") && exec_in / "${health[@]}" >/dev/null 2>&1; do
    kill -0 "$container" 2>/dev/null || fail "it has ended: $(cat "$place/out")"
    sleep 0.2
  done
}
# exec_in DIRECTORY WORD...: as `docker exec`
exec_in() {
  local directory=$1
  shift
  nsenter --target "$first" --mount --uts --pid --root -- setpriv --reuid 1000 --regid 1000 --clear-groups \
    env -i HOME=/home/node "${variables[@]}" env "--chdir=$directory" "$@"
}
# Ends it as an engine does, which kills what is left after 15 seconds; it has to exit with 0 before.
halt() {
  kill "-${stop#SIG}" "$first"
  local code=0
  wait "$container" || code=$?
  container=
  [ "$code" -eq 0 ] || fail "it has ended with $code: $(cat "$place/out")"
}

repository=/repositories/greeter
mkdir -p "$root$repository/tasks"
chown -R 1000:1000 "$root$repository"
start
[ "$(tr '\0' ' ' <"/proc/$first/cmdline")" = "${entrypoint[*]} ${command[*]} " ] || fail "process 1 is another"
exec_in "$repository" sh -euc '
  printf "agent: script\n" > tasks/charlotte.yaml
  printf -- "---\ntask: 1\nbackpressure: test -s one\n---\n# One\n\n\`\`\`sh\necho one > one\n\`\`\`\n" > tasks/01-one.md
  printf -- "---\ntask: 2\nbackpressure: test -s two\n---\n# Two\n\n\`\`\`sh\nwhile [ ! -e /tmp/go ]; do sleep 0.1; done; echo two > two\n\`\`\`\n" > tasks/02-two.md
  git init --quiet --initial-branch main && git add . && git commit --quiet --message Tasks
  charlotte start tasks
  until charlotte show latest --json | grep -q "\"completed\""; do sleep 0.2; done'
halt
say "it has stopped in the midst of a job, and is run again"
touch "$root/tmp/go"
start
exec_in "$repository" sh -euc '
  charlotte watch latest
  test "$(cat one two)" = "one
two"
  git log --format="%an %s"'
halt
say "each line of $file works"
