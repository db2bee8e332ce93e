/** Agents and gates inside of bubblewrap or, where that does not work, of a script that only notes what it runs. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync } from "node:fs"
import { task } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"

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
})
