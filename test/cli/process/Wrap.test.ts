/** Agents and gates inside of bubblewrap or, where that does not work, of a script that only notes what it runs. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { spawnSync } from "node:child_process"
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { task } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"

const hasBubblewrap = spawnSync("bwrap", ["--unshare-pid", "--ro-bind", "/", "/", "true"]).status === 0

/** Sees the system, and of the sandbox of the test only what agents and gates need. */
const bubblewrap = ({ home, repository, root }: Charlotte.World): ReadonlyArray<string> => [
  ...["bwrap", "--die-with-parent", "--unshare-pid", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"],
  ...["--tmpfs", root],
  ...[`${home}/worktrees`, `${home}/logs`, `${root}/tmp`, `${root}/agent`].flatMap((path) => ["--bind", path, path]),
  ...["--ro-bind", `${repository}/.git`, `${repository}/.git`]
]

/** Keeps its session in a file, and leaves a process behind that has left everything by which it can be found but its limits. */
const agent = (root: string) => `
  cat > /dev/null
  id=$1; [ "$id" != new ] || id=s1
  echo '{"type":"system","subtype":"init","session_id":"'$id'"}'
  [ -e '${root}/secret' ] && where=outside || where=inside
  echo "$where $1" >> turns.txt
  env -i PATH="$PATH" setsid sh -c 'while :; do sleep 0.1; done' '${root}/leftover' < /dev/null > /dev/null 2>&1 &
  echo turn >> '${root}/agent/turns'
  while [ -e '${root}/agent/hold' ]; do sleep 0.05; done
  echo '{"type":"result","subtype":"success","is_error":false,"result":"done","session_id":"'$id'","usage":{"output_tokens":1}}'`

const files = (root: string) => ({
  "charlotte.yaml": `agent: boxed
attempts: 2
setup: "[ -e ${root}/secret ] && echo outside >> $TMPDIR/places || echo inside >> $TMPDIR/places"
`,
  "01-one.md": task(1, "true", `ls '${root}/secret' && exit 9; [ "$(wc -l < turns.txt)" -ge 2 ]`)
})

const made = Effect.gen(function* () {
  const world = yield* Charlotte.world(files)
  const { home, root } = world
  for (const directory of [home, `${home}/worktrees`, `${home}/logs`, `${root}/agent`])
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  yield* world.write(`${root}/secret`, "")
  yield* world.write(`${root}/agent/run.sh`, agent(root))
  yield* world.write(`${root}/wrap.sh`, `echo "$*" >> '${root}/wrapped'; rm -f '${root}/secret'; exec "$@"`)
  const wrap = hasBubblewrap ? bubblewrap(world) : ["sh", `${root}/wrap.sh`]
  const command = ["sh", `${root}/agent/run.sh`]
  const boxed = {
    command: [...command, "new"],
    resume: [...command, "{session}"],
    format: "claude-stream-json",
    wrap
  }
  yield* world.write(`${home}/config.yaml`, JSON.stringify({ agents: { boxed } }))
  return world
})

/** The processes that an agent has left behind. */
const leftovers = ({ root }: Charlotte.World): ReadonlyArray<string> =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`${root}/leftover`)
    } catch {
      return false
    }
  })

const until = (isSo: () => boolean) =>
  Effect.repeat(Effect.sync(isSo), { until: (now) => now, schedule: Schedule.spaced("20 millis") })

const turns = ({ root }: Charlotte.World): number => {
  try {
    return readFileSync(`${root}/agent/turns`, "utf8").split("\n").length - 1
  } catch {
    return 0
  }
}

describe("the wrap of an agent", () => {
  it.scopedLive(
    "is around agent, gate and setup, in which sessions are resumed, and nothing outlives it",
    () =>
      Effect.gen(function* () {
        const world = yield* made
        const { code, err, out } = yield* Charlotte.run(world, "exec charlotte run tasks")
        expect([code, err], out).toEqual([0, ""])
        // The gate fails after the first turn, and the second resumes the session.
        expect(yield* world.git(world.repository, "show", "main:turns.txt")).toBe("inside new\ninside s1\n")
        expect(readFileSync(`${world.root}/tmp/places`, "utf8")).toMatch(/^(inside\n)+$/)
        expect(leftovers(world)).toEqual([])
      }),
    300_000
  )

  it.scopedLive.skipIf(!hasBubblewrap)(
    "ends with the daemon that is killed, and the next one continues the job",
    () =>
      Effect.gen(function* () {
        const world = yield* made
        yield* world.write(`${world.root}/agent/hold`, "")
        const { pid } = yield* Daemon.up(world)
        const id = yield* Daemon.submit(world)
        yield* until(() => turns(world) > 0 && leftovers(world).length > 0)
        yield* Daemon.kill(pid, "SIGKILL")
        yield* until(() => leftovers(world).length === 0 && Charlotte.processes(world).length === 0)

        yield* world.shell(world.root, `rm agent/hold`)
        yield* Daemon.up(world)
        expect((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).code).toBe(0)
        yield* Daemon.down(world)
        expect(leftovers(world)).toEqual([])
      }),
    300_000
  )

  it.scopedLive.skipIf(!hasBubblewrap)(
    "is checked by doctor, which names each path that is missing",
    () =>
      Effect.gen(function* () {
        const world = yield* made
        const { home, repository, root } = world
        const words = bubblewrap(world)
        const doctor = (wrap: ReadonlyArray<string>, variables = {}) =>
          Effect.gen(function* () {
            const boxed = { command: [`${root}/agent/run.sh`], wrap }
            yield* world.write(`${home}/config.yaml`, JSON.stringify({ agents: { boxed } }))
            const { out } = yield* Charlotte.run(world, "charlotte doctor --wrap --json", { variables })
            const { findings }: { readonly findings: ReadonlyArray<Record<string, string>> } = JSON.parse(out)
            return findings.flatMap(({ check, message, remedy }) =>
              check === "wrap" ? [`${message} → ${remedy}`] : []
            )
          })
        yield* world.write(`${root}/agent/run.sh`, "#!/bin/sh\n")
        yield* world.shell(root, "chmod +x agent/run.sh")
        expect(yield* doctor(words)).toEqual(["boxed: agents and gates find what they need in it → undefined"])
        const without = (path: string) =>
          words.filter((word, at) => word !== path && !(word.startsWith("--") && words[at + 1] === path))
        for (const [path, missing] of [
          [`${home}/worktrees`, `--bind ${home}/worktrees ${home}/worktrees`],
          [`${home}/logs`, `--bind ${home}/logs ${home}/logs`],
          [`${root}/tmp`, `--bind ${root}/tmp ${root}/tmp`],
          [`${repository}/.git`, `--ro-bind ${repository}/.git ${repository}/.git`],
          [`${root}/agent`, `--ro-bind ${root}/agent ${root}/agent`]
        ] as const)
          expect(yield* doctor(without(path)), path).toEqual([expect.stringContaining(` → ${missing}`)])
        // With nothing of the system but what is named.
        const system = ["/bin", "/lib", "/lib64"].flatMap((path) => {
          const stats = lstatSync(path, { throwIfNoEntry: false })
          if (stats === undefined) return []
          return [stats.isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path]]
        })
        const [bin = []] = system
        const parts = [
          ...[
            ["--proc", "/proc"],
            ["--dev", "/dev"],
            ["--ro-bind", "/usr", "/usr"],
            ...system,
            ["--ro-bind", "/etc", "/etc"]
          ],
          words.slice(words.indexOf("--tmpfs"))
        ]
        const minimal = (left?: ReadonlyArray<string>) =>
          doctor(
            [
              ...["bwrap", "--die-with-parent", "--unshare-pid"],
              ...parts.flatMap((part) => (part.join() === left?.join() ? [] : part))
            ],
            { PATH: `${world.variables["PATH"]?.split(":")[0]}:/usr/bin:/bin` }
          )
        expect(yield* minimal()).toEqual([expect.stringContaining("find what they need")])
        expect(yield* minimal(["--proc", "/proc"])).toEqual([expect.stringMatching(/ → --proc \/proc$/)])
        expect(yield* minimal(["--dev", "/dev"])).toEqual([expect.stringMatching(/ → --dev \/dev$/)])
        expect(yield* minimal(["--ro-bind", "/usr", "/usr"])).toEqual([
          expect.stringContaining(` → --ro-bind /usr /usr ${system.flat().join(" ")}`)
        ])
        expect(yield* minimal(bin)).toEqual([expect.stringMatching(`/bin/sh cannot be run: .* → ${bin.join(" ")}`)])

        expect(yield* doctor([...words, "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"])).toEqual([
          expect.stringContaining("RUN_BY_CHARLOTTE is lost in it")
        ])
        expect(yield* doctor([...words, "--bind", "/not/there", "/x"])).toEqual([
          expect.stringMatching(/^boxed: nothing can run in it: bwrap: .*\/not\/there/)
        ])
      }),
    300_000
  )
})
