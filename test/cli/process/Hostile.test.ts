/** A daemon that is started where it is not easy. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs"
import { task, unit } from "../../tasks/Jobs.js"
import * as Charlotte from "./Charlotte.js"
import * as Daemon from "./Daemon.js"
import * as Tasks from "./Tasks.js"

/** The variables of a process. */
const environment = (pid: number) => readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean)

const world = Charlotte.world(() => Tasks.simple)

describe("charlotte daemon start", () => {
  it.scopedLive("in a git hook uses the given repository, without git's variables", () =>
    Effect.gen(function* () {
      const here = yield* world
      const hook = `${here.repository}/.git/hooks/post-commit`
      yield* here.write(
        hook,
        `#!/bin/sh\nenv | grep -q ^GIT_INDEX_FILE= && charlotte daemon start --json > '${here.root}/out'\n`
      )
      chmodSync(hook, 0o755)
      const committed = yield* Charlotte.run(here, "exec git commit --allow-empty --quiet -m more", {
        variables: { GIT_CONFIG_GLOBAL: "/dev/null", ...identity }
      })
      expect([committed.code, committed.out, committed.err]).toEqual([0, "", ""])
      const { pid } = yield* Daemon.up(here)
      expect(Daemon.read({ code: 0, err: "", signal: null, out: readFileSync(`${here.root}/out`, "utf8") })).toEqual({
        pid,
        started: true
      })
      expect(environment(pid).filter((variable) => variable.startsWith("GIT_"))).toEqual([])
      const id = yield* Daemon.submit(here)
      expect((yield* Charlotte.run(here, `exec charlotte watch ${id}`)).code).toBe(0)
      expect(yield* Tasks.done(here)).toEqual(Tasks.all)
      yield* Daemon.down(here)
    })
  )

  it.scopedLive("passes on neither git variables nor Node options of its environment", () =>
    Effect.gen(function* () {
      const here = yield* world
      const variables = {
        GIT_DIR: "/nowhere",
        GIT_WORK_TREE: "/nowhere",
        GIT_INDEX_FILE: "/nowhere",
        GIT_CONFIG_COUNT: "x",
        NODE_OPTIONS: "--no-warnings --max-old-space-size=200"
      }
      const { pid } = yield* Daemon.up(here, { variables })
      // A variable of Node's own is there: by it the daemon tells that it is ready.
      expect(environment(pid).filter((variable) => /^(GIT_|NODE_OPTIONS)/.test(variable))).toEqual([])
      const started = yield* Charlotte.run(here, "exec charlotte start tasks", { variables })
      expect([started.code, started.err]).toEqual([0, ""])
      const watched = yield* Charlotte.run(here, `exec charlotte watch ${started.out.trim()}`, { variables })
      expect([watched.code, watched.err]).toEqual([0, ""])
      expect(yield* Tasks.done(here)).toEqual(Tasks.all)
      yield* Daemon.down(here)
    })
  )

  it.scopedLive("works in a deleted directory; commands that need the directory report it", () =>
    Effect.gen(function* () {
      const here = yield* world
      // The shell itself tells of it as well, which is its own affair.
      const run = (command: string) =>
        Effect.map(
          Charlotte.run(here, `mkdir ../gone; cd ../gone; rmdir ../gone; ${command}`),
          ({ err, ...ended }): Charlotte.Ended => ({ ...ended, err: err.replace(/^.*getcwd\(?\)? ?.*\n/gm, "") })
        )
      const { pid } = Daemon.read(yield* run("charlotte daemon start --json"))
      yield* Effect.addFinalizer(() => Daemon.kill(pid, "SIGKILL"))
      const { code, err, out } = yield* run(
        "charlotte daemon status && charlotte jobs --json && charlotte daemon restart"
      )
      expect([code, err]).toEqual([0, ""])
      expect(out).toMatch(
        new RegExp(`^charlotte daemon \\(pid ${pid}, [^]*\n {2}ready\n\\{"jobs":\\[\\]\\}\ncharlotte daemon is ready `)
      )
      expect(yield* run("charlotte start tasks")).toMatchObject({
        code: 2,
        out: "",
        err: "charlotte: the current directory no longer exists; change to another one\n"
      })
      expect(yield* run("charlotte daemon stop")).toMatchObject({ code: 0, err: "" })
    })
  )

  it.scopedLive("works without standard streams, in background and foreground", () =>
    Effect.gen(function* () {
      const here = yield* world
      const closed = "<&- >&- 2>&-"
      expect(yield* Charlotte.run(here, `charlotte daemon start ${closed}; echo $?`)).toMatchObject({
        out: "0\n",
        err: ""
      })
      const background = yield* Daemon.up(here)
      expect(background.started).toBe(false)
      expect(yield* Charlotte.run(here, `charlotte daemon stop ${closed}; echo $?`)).toMatchObject({
        out: "0\n",
        err: ""
      })
      expect(Charlotte.processes(here)).toEqual([])

      const running = yield* Charlotte.start(here, `exec charlotte daemon start --foreground ${closed}`)
      yield* Effect.sync(() => existsSync(`${here.home}/socket`)).pipe(
        Effect.repeat({ until: (isThere) => isThere, schedule: Schedule.spaced("20 millis") })
      )
      expect(yield* Daemon.up(here)).toEqual({ pid: running.pid, started: false })
      const id = yield* Daemon.submit(here)
      expect((yield* Charlotte.run(here, `exec charlotte watch ${id}`)).code).toBe(0)
      yield* Daemon.down(here)
      expect((yield* running.ended).code).toBe(0)
    })
  )

  it.scopedLive("explains an unusable home in one sentence and leaves no files", () =>
    Effect.gen(function* () {
      const here = yield* world
      const table: ReadonlyArray<readonly [surroundings: string, sentence: string]> = [
        ["env -u HOME -u CHARLOTTE_HOME", "HOME is not set; set CHARLOTTE_HOME to an absolute path"],
        ["CHARLOTTE_HOME=relative", "relative is not an absolute path"],
        ["CHARLOTTE_HOME=/dev/null", "/dev/null is not a directory"],
        ["CHARLOTTE_HOME=/proc/none", "the home directory /proc/none cannot be used"],
        ["mkdir -p ../open; chmod 777 ../open; CHARLOTTE_HOME=$PWD/../open", "can be written by other users"],
        ["CHARLOTTE_MAX_JOBS=many", "CHARLOTTE_MAX_JOBS: must be a whole number, 1 or more"]
      ]
      for (const [surroundings, sentence] of table)
        for (const more of ["", " --foreground"]) {
          const { code, err, out } = yield* Charlotte.run(here, `${surroundings} charlotte daemon start${more}`)
          expect([surroundings, code, out]).toEqual([surroundings, 2, ""])
          expect(err).toContain(sentence)
          // Of the configuration all problems are told, each in a line.
          expect(err).toMatch(/^charlotte: (the configuration has 1 problem:\n)?[^\n]*\n$/)
          expect(Charlotte.processes(here)).toEqual([])
        }
    })
  )
})

const identity = {
  GIT_AUTHOR_NAME: "n",
  GIT_AUTHOR_EMAIL: "e@example.com",
  GIT_COMMITTER_NAME: "n",
  GIT_COMMITTER_EMAIL: "e@example.com"
}

const secrets = {
  MINE_KEY: "key-of-the-agent-4711",
  GATE_SECRET: "secret-of-the-gates-0815",
  GITHUB_TOKEN: "ghp_neither-of-them-is-given-this",
  DATABASE_URL: "postgres://me:password-in-a-place@db.example/it"
}

/** All that is in the files of a directory. */
const contents = (directory: string, isLeftOut: (path: string) => boolean): ReadonlyArray<readonly [string, string]> =>
  readdirSync(directory, { withFileTypes: true, recursive: true }).flatMap((entry) => {
    const path = `${entry.parentPath}/${entry.name}`
    return entry.isFile() && !isLeftOut(path) ? [[path, readFileSync(path, "latin1")]] : []
  })

describe("secrets in the daemon's environment", () => {
  it.scopedLive("reach neither other agents, nor events, logs or command lines", () =>
    Effect.gen(function* () {
      const here = yield* Charlotte.world((root) => ({
        "charlotte.yaml": "agent: mine\nattempts: 2\n",
        "a/IMPLEMENTATION_PLAN.md": unit(),
        "a/01-one.md": task(
          1,
          "true",
          `env > '${root}/of-gate'; echo "$GATE_SECRET $DATABASE_URL"; test -e '${root}/second'`
        )
      }))
      yield* here.write(
        `${here.root}/agent`,
        `#!/bin/sh\nenv > '${here.root}/of-agent'\ncat > '${here.root}/prompt'\necho "$MINE_KEY"\n` +
          `grep -q 'previous attempt' '${here.root}/prompt' || exit 0\ntouch '${here.root}/second' '${here.root}/reached'\n` +
          `while ! test -e '${here.root}/go'; do sleep 0.05; done\n`,
        0o755
      )
      yield* here.write(
        `${here.home}/config.yaml`,
        `agents: { mine: { command: ["${here.root}/agent"], env: [MINE_KEY] } }\ngates: { env: [GATE_SECRET, DATABASE_URL] }\n`
      )
      const { pid } = yield* Daemon.up(here, {
        script: "exec charlotte daemon start --log-level all --listen 127.0.0.1:0",
        variables: secrets
      })
      const token = readFileSync(`${here.home}/token`, "utf8").trim()
      const id = yield* Daemon.submit(here)
      yield* Tasks.reached(here)

      const commandLines = Charlotte.processes(here).join("\n")
      expect(commandLines).toContain(`${here.root}/agent`)
      const [ofAgent, ofGate, prompt] = ["of-agent", "of-gate", "prompt"].map((name) =>
        readFileSync(`${here.root}/${name}`, "utf8")
      )
      expect(ofAgent).toContain(`MINE_KEY=${secrets.MINE_KEY}\n`)
      expect(ofGate).toContain(`GATE_SECRET=${secrets.GATE_SECRET}\n`)
      expect(prompt).toContain("[redacted] [redacted]")
      yield* Tasks.release(here)
      const watched = yield* Charlotte.run(here, `exec charlotte watch ${id} --json`)
      expect(watched.code).toBe(0)
      yield* Daemon.down(here)

      // What agents and gates have printed is their own.
      const isTheirs = (path: string) => /\.(agent|gate|gate-again)\.log$|\/token$/.test(path)
      const places = [
        ["command lines", commandLines],
        ["events", watched.out],
        ["the prompt", prompt ?? ""],
        ["what the agent is given", (ofAgent ?? "").replace(secrets.MINE_KEY, "")],
        ["what the gate is given", (ofGate ?? "").replace(secrets.GATE_SECRET, "").replace(secrets.DATABASE_URL, "")],
        ...contents(here.home, isTheirs)
      ] as const
      expect(places.map(([place]) => place)).toEqual(
        expect.arrayContaining([`${here.home}/charlotte.db`, `${here.home}/logs/daemon.log`])
      )
      for (const [place, text] of places) {
        for (const [name, secret] of Object.entries({ ...secrets, token, password: "password-in-a-place" }))
          expect(text.includes(secret), `${name} in ${place}`).toBe(false)
      }
      for (const given of [ofAgent, ofGate]) expect(given).not.toMatch(/^CHARLOTTE_|^GITHUB_TOKEN|\/socket/m)
      expect(pid).toBeGreaterThan(0)
    })
  )
})
