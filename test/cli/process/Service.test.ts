/** The daemon as a service of a real systemd, which runs as another user in namespaces: where that can be had, as root. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inject } from "vitest"
import * as Charlotte from "./Charlotte.js"

const systemd = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"].find((path) => existsSync(path))

/** Where control groups are mounted. */
const [, groups] = existsSync("/proc/self/mountinfo")
  ? (/^\d+ \d+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(readFileSync("/proc/self/mountinfo", "utf8")) ?? [])
  : []

/** A user that every system has. */
const uid = 1

/** Runs a script as that user, in a separate control group and namespaces. Nothing of it is left afterwards, also if it hangs. */
const asUser = `
  set -eu
  group='${groups}'/charlotte-$$
  mkdir "$group"
  clear() {
    echo $$ > '${groups}/cgroup.procs'
    until find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || [ ! -e "$group" ]; do sleep 0.05; done
  }
  trap clear EXIT
  echo $$ > "$group/cgroup.procs"
  timeout --signal KILL "$LIMIT" unshare --mount --cgroup --pid --fork --kill-child --mount-proc sh -euc '
    mount -t tmpfs tmpfs /run
    mkdir -p /run/systemd/system
    mkdir -p -m 700 /run/user/${uid}
    umount --recursive --lazy /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    chown -R ${uid} /run/user/${uid} /sys/fs/cgroup "$HOME"
    export XDG_RUNTIME_DIR=/run/user/${uid} USER=ada
    exec setpriv --reuid ${uid} --regid ${uid} --clear-groups bash "$SCRIPT"'
`

const preparation = `
  set -eu
  unset CHARLOTTE_HOME XDG_CACHE_HOME TMPDIR
  manager() { ${systemd} --user > "$HOME/systemd.log" 2>&1 & manager=$!; }
  until_() { until eval "$1"; do kill -0 $manager; sleep 0.1; done; }
  charlotte --version
  manager; until_ 'systemctl --user show --property=Version > /dev/null 2>&1'
`

/** Whether systemd can be had as that user: the machine may allow no such namespaces, or hide this checkout from other users. */
const canRun = (): boolean => {
  if (process.geteuid?.() !== 0 || systemd === undefined || groups === undefined || existsSync("/run/systemd/system"))
    return false
  const home = mkdtempSync(join(tmpdir(), "charlotte-systemd-"))
  try {
    const file = `${home}/script.sh`
    writeFileSync(file, preparation)
    chmodSync(file, 0o755)
    const PATH = `${inject("command").bin}:${process.env["PATH"]}`
    const env = { PATH, HOME: home, SCRIPT: file, LIMIT: "60" }
    return spawnSync("bash", ["-c", asUser], { cwd: "/", env, stdio: "ignore" }).status === 0
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

const script = `${preparation}
  main() { systemctl --user show charlotte.service --property=MainPID --value; }
  ready() { charlotte daemon status > "$HOME/status" && grep -q "pid $(main)," "$HOME/status"; }

  mkdir "$HOME/bin"; ln -s /bin/true "$HOME/bin/claude"
  export PATH="$HOME/bin:$PATH"
  charlotte daemon install
  echo 'WITNESS=of the file' >> "$HOME/.charlotte/env"
  charlotte daemon start; ready; echo "1 started"
  tr '\\0' '\\n' < /proc/$(main)/environ | grep -e ^WITNESS= -e ^CHARLOTTE_HOME= -e ^PATH=
  charlotte doctor | sed -n 's/^. \\(service agents\\|lingering\\) */\\1: /p'
  [ -w "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/$(main)/cgroup)/cgroup.procs" ]; echo "2 delegated"

  first=$(main); kill -KILL $first
  until_ '[ $(main) != $first ] && ready'; echo "3 started again after kill -9"
  charlotte daemon restart; ready; echo "4 restarted"

  second=$(main); systemctl --user daemon-reexec
  [ $(main) = $second ]; ready; echo "5 survived a systemd that executed itself again"
  kill -TERM $manager; wait $manager || true
  [ ! -e /proc/$second ]; manager; until_ ready; echo "6 started with the next systemd"

  charlotte daemon stop
  [ "$(systemctl --user is-active charlotte.service)" = inactive ]; echo "7 stopped"
  charlotte daemon uninstall
  kill -TERM $manager; wait $manager || true
`

describe("charlotte daemon install", () => {
  it.scopedLive.skipIf(!canRun())(
    "makes the daemon a service of systemd, which survives a kill and a restart of the user's systemd",
    () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => ({}))
        const file = `${world.root}/script.sh`
        const home = `${world.root}/a home of 100% [x]* $USER`
        yield* world.shell(world.root, `mkdir '${home}'; touch script.sh; chmod 755 . script.sh`)
        yield* world.write(file, script)
        const variables = { HOME: home, SCRIPT: file, LIMIT: "500" }
        const { code, err, out } = yield* Charlotte.run(world, asUser, { cwd: "/", variables })
        expect(code, out + err).toBe(0)
        const lines = out.split("\n")
        expect(lines).toEqual(
          expect.arrayContaining([
            "WITNESS=of the file",
            `CHARLOTTE_HOME=${home}/.charlotte`,
            `PATH=${home}/bin:${world.variables["PATH"]}`,
            "service agents: claude, script",
            expect.stringMatching(/^lingering: is (on|off) for /)
          ])
        )
        expect(lines.flatMap((line) => /^\d(?= )/.exec(line) ?? [])).toEqual([..."1234567"])
      }),
    600_000
  )
})
