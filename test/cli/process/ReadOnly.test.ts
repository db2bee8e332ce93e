/** What cannot be written: a home, such as a backup or another user's, where what is recorded can still be read; and a repository. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { task } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"
import * as Tasks from "./Tasks.js"

const isRoot = process.geteuid?.() === 0
const nobody = 65_534

/** Root can write everywhere, so another user has to read then. */
const asReader = isRoot ? `setpriv --reuid ${nobody} --regid ${nobody} --clear-groups` : ""

/** Closes the home to writers while `use` runs. */
const readOnly = <A, E, R>({ home, root, variables }: Charlotte.World, use: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      chmodSync(root, 0o755)
      if (isRoot) execFileSync("chown", ["-R", `${nobody}:${nobody}`, variables["TMPDIR"] ?? ""])
      execFileSync("chmod", ["-R", "a-w,a+rX", home])
    }),
    () => use,
    () => Effect.sync(() => execFileSync("chmod", ["-R", "u+w", home]))
  )

const isEmpty = ({ variables }: Charlotte.World) => expect(readdirSync(variables["TMPDIR"] ?? "")).toEqual([])

/** What the commands that read print, each as one text. */
const reads = (world: Charlotte.World, id: string) =>
  Effect.forEach(["jobs", `show ${id}`, `logs ${id}`, `watch ${id}`], (words) =>
    Charlotte.run(world, `exec ${asReader} charlotte ${words}`)
  )

describe("read-only home directory", () => {
  for (const how of ["closed", "left by a crash"] as const)
    it.scopedLive(`is read by jobs, show, logs and watch without changes; its database was ${how}`, () =>
      Effect.gen(function* () {
        const world = yield* Charlotte.world(() => Tasks.simple)
        const { pid } = yield* Daemon.up(world)
        const id = yield* Daemon.submit(world)
        expect((yield* Charlotte.run(world, `exec charlotte watch ${id}`)).code).toBe(0)
        if (how === "closed") yield* Daemon.down(world)
        else yield* Effect.zipRight(Daemon.kill(pid, "SIGKILL"), Daemon.gone(pid))
        const files = () =>
          execFileSync("sh", ["-c", `cd ${world.home}; ls -R; cat charlotte.db* | cksum`], { encoding: "utf8" })
        yield* readOnly(
          world,
          Effect.gen(function* () {
            const before = files()
            const [jobs, show, logs, watch] = yield* reads(world, id)
            expect([jobs, show, logs, watch].map((ended) => [ended?.code, ended?.err])).toEqual(
              Array.from({ length: 4 }, () => [0, ""])
            )
            expect(jobs?.out).toContain("completed")
            expect(show?.out).toContain(id)
            expect(logs?.out).toContain("one")
            expect(watch?.out).toContain("completed in")
            expect(files()).toBe(before)
            isEmpty(world)
            const start = yield* Charlotte.run(world, `exec ${asReader} charlotte daemon start`)
            expect([start.code, start.err]).toEqual([2, expect.stringMatching(/cannot be written|belongs to user/)])
          })
        )
      })
    )
})

describe("a directory of logs that cannot be written", () => {
  it.scopedLive("keeps the daemon from starting, with a message and exit code 1", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      mkdirSync(world.home, { mode: 0o700 })
      // Not even root creates files there.
      symlinkSync("/proc", `${world.home}/logs`)
      const { code, err, out } = yield* Charlotte.run(world, "exec charlotte daemon start")
      expect([code, out]).toEqual([1, ""])
      expect(err).toMatch(/^charlotte: cannot start the daemon: .*\/logs\/daemon\.err\.\d+'\n$/)
    })
  )
})

/** A shell that may mount: what it mounts is seen by what it starts only, and goes with it. */
const namespace = ["unshare", "--user", "--map-root-user", "--mount"]

const canMount = () => {
  try {
    execFileSync("unshare", [...namespace.slice(1), "true"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** Runs a script in which the repository is mounted once more, and can be made read-only. */
const mounted = (world: Charlotte.World, script: string) =>
  Charlotte.run(world, `exec ${namespace.join(" ")} bash -c 'mount --bind "$PWD" "$PWD" && cd "$PWD" && ${script}'`)

const remount = ({ repository }: Pick<Charlotte.World, "repository">, mode: "ro" | "rw") =>
  `mount -o remount,${mode},bind ${repository}`

describe.skipIf(!canMount())("a repository that cannot be written", () => {
  it.scopedLive("is refused when a job is submitted, and named", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world(() => Tasks.simple)
      const { code, err } = yield* mounted(world, `${remount(world, "ro")} && exec charlotte run tasks`)
      expect([code, err]).toEqual([
        2,
        expect.stringContaining("/.git cannot be written: it is on a read-only file system")
      ])
      const dry = yield* mounted(world, `${remount(world, "ro")} && exec charlotte run --dry-run tasks`)
      expect([dry.code, dry.err]).toEqual([0, ""])
    })
  )

  it.scopedLive("lets a job wait until it can, without another attempt of its task", () =>
    Effect.gen(function* () {
      const world = yield* Charlotte.world((root) => ({
        "charlotte.yaml": "agent: script\nattempts: 1\n",
        "01-one.md": task(
          1,
          `echo one > one; echo x >> ${root}/attempts`,
          `test -e one && ${remount({ repository: `${root}/repository` }, "ro")} && touch ${root}/closed`
        )
      }))
      // Writable again once the job has said why it waits.
      const watcher = `until grep -q "once it can be written" ${world.root}/out; do sleep 0.1; done; ${remount(world, "rw")}`
      const { code } = yield* mounted(
        world,
        `{ touch ${world.root}/out; (${watcher}) & charlotte run tasks > ${world.root}/out; ended=$?; kill $!; exit $ended; }`
      )
      const out = readFileSync(`${world.root}/out`, "utf8")
      expect([code, existsSync(`${world.root}/closed`)], out).toEqual([0, true])
      expect(readFileSync(`${world.root}/attempts`, "utf8")).toBe("x\n")
      expect(out).toContain("the file system is read-only: the work is committed once it can be written")
      expect(readFileSync(`${world.repository}/one`, "utf8")).toBe("one\n")
    })
  )
})
