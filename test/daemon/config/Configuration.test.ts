/** `config.yaml` in the home directory, and the variables that go before it. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { JobManager, Orchestrator, RunStore } from "charlotte"
import { ConfigProvider, Deferred, Duration, Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import * as Configuration from "../../../src/daemon/config/Configuration.js"
import * as TaskLayers from "../../../src/daemon/layers/TaskLayers.js"
import * as Home from "../../../src/daemon/home/Home.js"
import * as Secrets from "../../../src/daemon/home/Secrets.js"
import { ParentEnvironment } from "../../../src/process/ChildEnvironment.js"
import { Agents, presets } from "../../../src/tasks/Agents.js"
import { config } from "../../support/jobs.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"

/** A home with that file in it, if there is one. */
const homeWith = (text?: string | Uint8Array) =>
  Effect.tap(TemporaryDirectory.make, (home) =>
    Effect.sync(() => text !== undefined && writeFileSync(`${home}/config.yaml`, text))
  )

const inHome = (home: string, variables: Record<string, string> = {}) =>
  Configuration.layer.pipe(
    Layer.provide(Home.layerAt(home)),
    Layer.provide(NodeContext.layer),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))))
  )

const read = (home: string, variables?: Record<string, string>) =>
  Effect.provide(Configuration.Configuration, inHome(home, variables))

/** What is wrong, without the path of the home. */
const problems = (home: string, variables?: Record<string, string>) =>
  Effect.map(Effect.flip(read(home, variables)), (error) =>
    error._tag === "HomeUnusable"
      ? [error.message]
      : error.problems.map((problem) => String(problem).replace(`${home}/`, ""))
  )

const nothing = {
  agents: { profiles: presets, gates: { env: [] } },
  maxJobs: undefined,
  stopGrace: undefined,
  retention: undefined
}

describe("the configuration", () => {
  it.scoped("may be missing or empty", () =>
    Effect.gen(function* () {
      for (const text of [undefined, "", "# nothing\n", "agents:\ngates: {}\nmaxJobs:\n"]) {
        const home = yield* homeWith(text)
        expect(yield* read(home)).toMatchObject(nothing)
      }
    })
  )

  it.scoped("sets agents, the variables of gates, and maxJobs", () =>
    Effect.gen(function* () {
      const home = yield* homeWith(
        "agents:\n  mine: { command: [/bin/sh, -c, cat] }\ngates: { env: [DATABASE_URL] }\nland: never\nmaxJobs: 3\nstopGrace: 20 seconds\n"
      )
      const { agents, maxJobs, stopGrace } = yield* read(home)
      expect(agents.profiles.map(({ name }) => name).sort()).toEqual(["claude", "codex", "mine"])
      expect(agents).toMatchObject({ gates: { env: ["DATABASE_URL"] }, land: "never", file: `${home}/config.yaml` })
      expect({ maxJobs, stopGrace }).toEqual({ maxJobs: 3, stopGrace: Duration.seconds(20) })
    })
  )

  it.scoped("is overridden by environment variables", () =>
    Effect.gen(function* () {
      const home = yield* homeWith("maxJobs: 3\nstopGrace: 20 seconds\n")
      expect(yield* read(home, { CHARLOTTE_MAX_JOBS: "7", CHARLOTTE_STOP_GRACE: "1 minute" })).toMatchObject({
        maxJobs: 7,
        stopGrace: Duration.minutes(1)
      })
      expect(yield* read(home, { CHARLOTTE_MAX_JOBS: "", CHARLOTTE_STOP_GRACE: "" })).toMatchObject({
        maxJobs: 3,
        stopGrace: Duration.seconds(20)
      })
    })
  )

  it.scoped("names the database, without its password in a message", () =>
    Effect.gen(function* () {
      const home = yield* homeWith("database: postgres://me:pass-word-1@db.example/jobs\n")
      expect(yield* read(home)).toMatchObject({
        database: { _tag: "Postgres", shown: "postgres://me@db.example/jobs" }
      })
      expect(yield* read(home, { CHARLOTTE_DATABASE: "sqlite" })).toMatchObject({ database: { _tag: "Sqlite" } })
      expect(yield* read(yield* homeWith())).toMatchObject({ database: undefined })
      for (const value of ["5", "[a]", "mysql://me:pass-word-1@h/d"]) {
        expect(yield* problems(yield* homeWith(`database: ${value}\n`))).toEqual([
          "config.yaml:1: database must be postgres://USER@HOST:PORT/DATABASE, or sqlite"
        ])
      }
      expect(yield* problems(home, { CHARLOTTE_DATABASE: "postgres://me:pass-word-1@h" })).toEqual([
        "CHARLOTTE_DATABASE: must name a database: postgres://USER@HOST:PORT/DATABASE"
      ])
    })
  )

  it.scoped("says how the daemon is a node of a cluster, or nothing of it", () =>
    Effect.gen(function* () {
      const home = yield* homeWith(
        "advertise: 10.0.0.5:7440\ncapacity: 4\ninsecureCluster: false\nsharedRepositories: true\n"
      )
      const node = { advertise: "10.0.0.5:7440", capacity: 4, insecureCluster: false, sharedRepositories: true }
      expect((yield* read(home)).node).toEqual(node)
      const variables = {
        CHARLOTTE_ADVERTISE: "[fd00::5]:7440",
        CHARLOTTE_CAPACITY: "5",
        CHARLOTTE_INSECURE_CLUSTER: "true",
        CHARLOTTE_SHARED_REPOSITORIES: "false"
      }
      expect((yield* read(home, variables)).node).toEqual({
        advertise: "[fd00::5]:7440",
        capacity: 5,
        insecureCluster: true,
        sharedRepositories: false
      })
      expect((yield* read(yield* homeWith())).node).toEqual({})
      const address = "must be HOST:PORT, such as 10.0.0.5:7450 or [fd00::5]:7450, with a port of 1 to 65535"
      expect(
        yield* problems(
          yield* homeWith("advertise: 7440\ncapacity: 0\ninsecureCluster: maybe\nsharedRepositories: 1\n"),
          { CHARLOTTE_ADVERTISE: "10.0.0.5" }
        )
      ).toEqual([
        `config.yaml:1: advertise ${address}`,
        "config.yaml:2: capacity must be a whole number, 1 or more",
        "config.yaml:3: insecureCluster must be true or false",
        "config.yaml:4: sharedRepositories must be true or false",
        `CHARLOTTE_ADVERTISE: ${address}`
      ])
    })
  )

  it.scoped("names the commands of notices, which are about everything by default", () =>
    Effect.gen(function* () {
      const home = yield* homeWith(
        "notify:\n  phone: { run: [ntfy-send, -q], on: [failed], env: [NTFY_TOKEN], reason: true }\n  mail: { run: [/bin/mail] }\n"
      )
      expect((yield* read(home)).notify).toEqual([
        { name: "phone", run: ["ntfy-send", "-q"], on: ["failed"], env: ["NTFY_TOKEN"], reason: true },
        {
          name: "mail",
          run: ["/bin/mail"],
          on: ["needs-answer", "needs-approval", "parked", "failed", "completed"],
          env: [],
          reason: false
        }
      ])
      expect((yield* read(yield* homeWith())).notify).toEqual([])
      expect(
        yield* problems(
          yield* homeWith(
            "notify:\n  phone: { on: [reset] }\n  My Phone: { run: [send] }\n  mail: { run: send, evn: [A] }\n"
          )
        )
      ).toEqual([
        "config.yaml:2: notify.phone has no command: add one, such as run: [ntfy-send]",
        "config.yaml:2: notify.phone.on must be one of needs-answer, needs-approval, parked, failed, completed",
        'config.yaml:3: has a notify "My Phone", whose name must be a lower-case letter and up to 31 further ones, digits and hyphens',
        'config.yaml:4: has the unknown key "evn" in notify.mail: expected one of run, on, env, reason',
        "config.yaml:4: notify.mail.run must be a list of words, such as [claude, -p], that begins with a command on the PATH or an absolute path"
      ])
    })
  )

  it.scoped("says how long finished jobs are kept, or nothing of it", () =>
    Effect.gen(function* () {
      const home = yield* homeWith("retention:\n  completed: 30 days\n  failed: 90 days\n  maxRuns: 0\n")
      const { retention } = yield* read(home)
      expect(retention).toEqual({ completed: Duration.days(30), failed: Duration.days(90), maxRuns: 0 })
      expect(yield* problems(yield* homeWith("retention: { complete: 30 days, failed: 9, maxRuns: -1 }\n"))).toEqual([
        'config.yaml:1: has the unknown key "complete" in retention: did you mean "completed"?',
        "config.yaml:1: retention.failed must be a duration with its unit, such as 30 minutes or 2 hours",
        "config.yaml:1: retention.maxRuns must be a whole number, 0 or more"
      ])
    })
  )

  it.scoped("reports all problems at once, with their lines", () =>
    Effect.gen(function* () {
      const home = yield* homeWith(
        "agent: claude\nmaxJobs: 0\nstopGrace: soon\nagents:\n  script: { command: [sh] }\n  mine: {}\ngates:\n  envs: [A]\n"
      )
      const variables = { CHARLOTTE_MAX_JOBS: "many", CHARLOTTE_STOP_GRACE: "5" }
      expect(yield* problems(home, variables)).toEqual([
        'config.yaml:1: has the unknown key "agent": did you mean "agents"?',
        "config.yaml:2: maxJobs must be a whole number, 1 or more",
        "config.yaml:3: stopGrace must be a duration with its unit, such as 30 minutes or 2 hours",
        'config.yaml:5: has an agent "script", which is a built-in name: choose another name',
        "config.yaml:6: agents.mine has no command: add one, such as command: [mine, -p]",
        'config.yaml:8: has the unknown key "envs" in gates: did you mean "env"?',
        "CHARLOTTE_MAX_JOBS: must be a whole number, 1 or more",
        "CHARLOTTE_STOP_GRACE: must be a duration with its unit, such as 30 minutes or 2 hours"
      ])
      const error = yield* Effect.flip(read(home, variables))
      expect(error.message).toContain(`the configuration has 8 problems:\n${home}/config.yaml:1: has the unknown key`)
    })
  )

  it.scoped("is refused with one clear message when its file cannot be read", () =>
    Effect.gen(function* () {
      const home = yield* homeWith()
      const file = `${home}/config.yaml`
      const says = (message: string) => Effect.map(problems(home), (found) => expect(found).toEqual([message]))

      mkdirSync(file)
      yield* says("config.yaml: is a directory: replace it with a regular file")
      rmSync(file, { recursive: true })

      execFileSync("mkfifo", [file])
      yield* says("config.yaml: is a special file: replace it with a regular file")
      rmSync(file)

      symlinkSync("nowhere.yaml", file)
      expect(yield* problems(home)).toEqual([expect.stringMatching(/^config.yaml: cannot be read: /)])
      rmSync(file)

      symlinkSync("config.yaml", file)
      expect(yield* problems(home)).toEqual([expect.stringMatching(/^config.yaml: cannot be read: /)])
      rmSync(file)

      writeFileSync(file, `# ${"x".repeat(16 * 1024)}\n`)
      yield* says("config.yaml: is larger than 16 KiB: shorten it")

      writeFileSync(file, Buffer.from("agents:\n  \xff", "latin1"))
      yield* says("config.yaml:2: is not valid UTF-8 here: save it as UTF-8")

      writeFileSync(file, "agents: [\n")
      expect(yield* problems(home)).toEqual([expect.stringMatching(/^config.yaml:\d: is not valid YAML here/)])

      writeFileSync(file, "- a\n- b\n")
      yield* says("config.yaml:1: has YAML here that is not a mapping of keys to values")
    })
  )

  it.scoped("may be a symbolic link", () =>
    Effect.gen(function* () {
      const home = yield* homeWith()
      const elsewhere = yield* TemporaryDirectory.file("dotfile.yaml")
      writeFileSync(elsewhere, "maxJobs: 2\nmaxJob: 3\n")
      symlinkSync(elsewhere, `${home}/config.yaml`)
      expect(yield* problems(home)).toEqual(['config.yaml:2: has the unknown key "maxJob": did you mean "maxJobs"?'])
      writeFileSync(elsewhere, "maxJobs: 2\n")
      expect(yield* read(home)).toMatchObject({ maxJobs: 2 })
    })
  )
})

describe("what is configured", () => {
  it.scoped("are the agents", () =>
    Effect.gen(function* () {
      const home = yield* homeWith("agents:\n  mine: { command: [/bin/sh] }\n  theirs: { command: [/no/such] }\n")
      const layer = Layer.provide(TaskLayers.agents, inHome(home))
      const { found, get, names } = yield* Effect.provide(Agents, layer)
      expect(names).toEqual(["claude", "codex", "mine", "script", "theirs"])
      expect(yield* found).toContain("mine")
      const error = yield* Effect.flip(get("theirs"))
      expect(error.message).toContain(`configure its command in ${home}/config.yaml (agents: theirs: command)`)
    })
  )

  it.scoped("are the agents of a file that was changed, once it is read again; a wrong file changes nothing", () =>
    Effect.gen(function* () {
      const home = yield* homeWith()
      const file = `${home}/config.yaml`
      const around = { PATH: "/bin", LATE_SECRET: "only known later" }
      yield* Effect.gen(function* () {
        const agents = yield* Agents
        const { text } = yield* Secrets.Secrets
        expect(agents.names).not.toContain("late")
        writeFileSync(
          file,
          "agents: { late: { command: [/bin/sh], env: [LATE_SECRET] } }\ngates: { env: [CI], timeout: 2 hours }\n"
        )
        yield* agents.reload
        writeFileSync(file, "agents:\n  late: { command: [/bin/sh] }\n  worse: {}\n")
        expect((yield* Effect.flip(agents.reload)).map(String)).toEqual([
          `${file}:3: agents.worse has no command: add one, such as command: [worse, -p]`
        ])
        expect(agents.names).toContain("late")
        expect(yield* agents.found).toContain("late")
        expect(yield* agents.get("late")).toMatchObject({ profile: { env: ["LATE_SECRET"] } })
        expect(agents.gates).toEqual({ env: ["CI"], timeout: Duration.hours(2) })
        expect(text("it is only known later")).toBe("it is [redacted]")
      }).pipe(
        Effect.provide(
          Layer.provideMerge(TaskLayers.agents, Secrets.layer).pipe(
            Layer.provideMerge(Configuration.layer),
            Layer.provide(Home.layerAt(home)),
            Layer.provide(NodeContext.layer),
            Layer.provide(Layer.succeed(ParentEnvironment, around))
          )
        )
      )
    })
  )

  it.scoped("is how many jobs the manager runs, and how long they have to end", () =>
    Effect.gen(function* () {
      const home = yield* homeWith("maxJobs: 1\nstopGrace: 42 seconds\n")
      const grace = yield* Deferred.make<Duration.Duration>()
      const orchestrator = Orchestrator.layer((job) =>
        Effect.zipRight(Deferred.succeed(grace, job.grace), Effect.never)
      )
      yield* Effect.gen(function* () {
        const manager = yield* JobManager.JobManager
        yield* manager.start(config)
        expect(Duration.toSeconds(yield* Deferred.await(grace))).toBe(42)
        expect(yield* Effect.flip(manager.start(config))).toMatchObject({ _tag: "MaxJobsReached", maxJobs: 1 })
      }).pipe(
        Effect.provide(
          Configuration.jobManager({}).pipe(Layer.provide([inHome(home), orchestrator, RunStore.layerMemory]))
        )
      )
    })
  )

  it.scoped("has schedules of tasks, and says what is wrong with one", () =>
    Effect.gen(function* () {
      const home = yield* homeWith(
        'schedules:\n  - { name: nightly, cron: "0 2 * * *", timeZone: Europe/Berlin, repository: /project, agent: claude }\n'
      )
      expect((yield* read(home)).schedules).toEqual([
        {
          name: "nightly",
          cron: "0 2 * * *",
          timeZone: "Europe/Berlin",
          config: { repoPath: "/project", tasksDir: "tasks", targetBranch: "main", agent: "claude" }
        }
      ])
      const wrong = (...lines: ReadonlyArray<string>) =>
        Effect.map(Effect.flatMap(homeWith(["schedules:", ...lines].join("\n")), problems), (all) => all.join("\n"))
      const found = yield* wrong(
        '  - { name: A b, cron: "0 0 30 2 *", repository: /project, timeZone: UTC }',
        '  - { name: nightly, cron: "0 2 * * *", repository: /project, timeZone: Mars }',
        '  - { name: nightly, cron: "0 2 * * *", repository: /project }',
        "  - { agent: claude }"
      )
      for (const text of [
        'a schedule "A b", whose name must be',
        "a schedule A b that is invalid: it has no tick",
        'no time zone "Mars"',
        'has two schedules "nightly"',
        "schedules.3 has no cron"
      ]) {
        expect(found).toContain(text)
      }
      expect(yield* wrong("  - { repository: project }", "  - { agents: claude }")).toMatch(
        /schedules\.repository must be an absolute path[^]*unknown key "agents" in schedules/
      )
    })
  )
})
