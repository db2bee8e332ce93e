#!/usr/bin/env bash
# Runs the tests of processes once more as an ordinary user, when root runs it, and those of git that change modes of files: root may
# read and signal everything, and so hides mistakes. They run in a copy of the checkout, which is removed. Arguments replace the list of tests. Where control
# groups (cgroup v2) are root's to make, those that need one that is delegated to its user run in one, too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "$(id -u)" -ne 0 ]; then
  echo "not root: the other tests run as an ordinary user already"
  exit 0
fi
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- test/process $(grep -l chmod test/git/*.test.ts)

user=nobody
uid=$(id -u "$user")
gid=$(id -g "$user")
copy=$(mktemp -d)
group=
trap 'rm -rf "$copy"; [ -z "$group" ] || rmdir "$group"' EXIT
mkdir "$copy/checkout" "$copy/home" "$copy/tmp"
tar --exclude=./.git -cf - . | tar -C "$copy/checkout" -xf -
chown -R "$uid:$gid" "$copy"

cd "$copy/checkout"
# A few kills are enough here, and a PATH without directories of root's own.
as_user() {
  setpriv --reuid "$uid" --regid "$gid" --clear-groups env -i PATH="$copy/checkout/node_modules/.bin:$(getconf PATH)" \
    HOME="$copy/home" TMPDIR="$copy/tmp" USER="$user" LC_ALL=C.UTF-8 CHARLOTTE_KILLS="${CHARLOTTE_KILLS:-5}" "$@"
}
as_user vitest run --poolOptions.forks.isolate=false "$@"

mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -n "$mount" ] && mkdir "$mount/charlotte-test-$$" 2>/dev/null; then
  group="$mount/charlotte-test-$$"
  chown "$uid:$gid" "$group" "$group/cgroup.procs" "$group/cgroup.subtree_control"
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    as_user vitest run test/process/Cgroup.test.ts test/process/Undumpable.test.ts
  )
else
  echo "no control group can be made here: the tests that need one are left out"
fi

# What is alive in the copy has outlived its test.
for process in /proc/[0-9]*; do
  if tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qF "$copy"; then
    echo "left running: ${process#/proc/} $(tr '\0' ' ' <"$process/cmdline")" >&2
    exit 1
  fi
done
