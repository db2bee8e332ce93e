/**
 * Every error that a command may meet, from a real server in this process, on the socket of a home: its sentence, its way out,
 * its code, and its body for programs.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { errors, JobId } from "charlotte"
import * as Http from "charlotte/http"
import { DateTime, Duration, Effect, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import { createServer, type RequestListener } from "node:http"
import { afterAll, beforeAll } from "vitest"
import { typedStart } from "../../../src/domain/StartOptions.js"
import { exitOf } from "../../../src/cli/errors/exitOf.js"
import * as LockOwner from "../../../src/daemon/home/LockOwner.js"
import * as Home from "../../../src/daemon/home/Home.js"
import { KernelRef } from "../../../src/internal/ProcessIdentity.js"
import type * as requests from "../../http/requests.js"
import { type Manager, worldOf } from "../../http/stub.js"
import * as Repository from "../../support/Repository.js"
import * as TemporaryDirectory from "../../support/TemporaryDirectory.js"
import { unknownId as jobId } from "../../support/jobs.js"
import * as CommandLine from "../commands/CommandLine.js"

let sandbox: Repository.Sandbox
let repository = ""
let close = Effect.void

beforeAll(async () => {
  const scope = Effect.runSync(Scope.make())
  close = Scope.close(scope, Exit.void)
  const made = Effect.flatMap(Repository.sandbox, (sandbox) =>
    Effect.map(Repository.plain(sandbox), (repository) => ({ sandbox, repository }))
  )
  ;({ sandbox, repository } = await Effect.runPromise(Scope.extend(made, scope)))
})

afterAll(() => Effect.runPromise(close))

/** Says in a home that this process has it. */
const claim = (home: string, what: LockOwner.LockOwner["what"] = "daemon") =>
  Effect.gen(function* () {
    const { self } = yield* KernelRef
    const since = yield* DateTime.now
    const addresses = [{ socket: `${home}/socket` }]
    yield* LockOwner.leave(
      new LockOwner.LockOwner({ what, version: "0.1.0", since, process: self, file: "none", addresses })
    )
  }).pipe(Effect.provide(Layer.provideMerge(Home.layerAt(home), NodeContext.layer)))

const run = (home: string, words: ReadonlyArray<string>) =>
  CommandLine.make({ environment: sandbox.environment, variables: { CHARLOTTE_HOME: home } })(words).answer

/** A home with a server over a manager that does as it is told. */
const served = (...options: Parameters<typeof worldOf>) =>
  Effect.tap(worldOf(...options), ({ directory }) => claim(directory))

/** A home with a server that is none of ours. */
const strange = (listener: RequestListener) =>
  Effect.gen(function* () {
    const home = yield* TemporaryDirectory.make
    yield* Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>>((resume) => {
        const server = createServer(listener).listen(`${home}/socket`, () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    yield* claim(home)
    return home
  })

const storeError = (reason: errors.StoreError["reason"]) =>
  new errors.StoreError({ operation: "start a job", reason, cause: new Error("the disk") })

const silent = Logger.minimumLogLevel(LogLevel.None)

const start = () => ["start", "tasks", "--repo", repository]
const stop = () => ["stop", jobId]
const resume = () => ["resume", jobId]
const submission = { repoPath: "/r", tasksDir: "tasks", targetBranch: "main" }
const post = (path: string, body?: unknown): requests.Sent => ({
  method: "POST",
  path: `/api/v1${path}`,
  ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
})

const starting = (error: Effect.Effect.Error<ReturnType<Manager["start"]>>) => ({
  error,
  methods: { start: typedStart(() => Effect.fail(error)) },
  words: start,
  sent: post("/jobs", submission)
})
const stopping = (error: Effect.Effect.Error<ReturnType<Manager["stop"]>>) => ({
  error,
  methods: { stop: () => Effect.fail(error) },
  words: stop,
  sent: post(`/jobs/${jobId}/stop`)
})
const signalling = (error: errors.JobNotFound | errors.JobEnded | errors.InvalidSignal | errors.TooManySignals) => ({
  error,
  methods: { signal: () => Effect.fail(error) },
  words: () => ["signal", jobId, "approve", "true"],
  sent: post(`/jobs/${jobId}/signals/approve`, { payload: true })
})
const resuming = (error: Effect.Effect.Error<ReturnType<Manager["resume"]>>) => ({
  error,
  methods: { resume: () => Effect.fail(error) },
  words: resume,
  sent: post(`/jobs/${jobId}/resume`)
})

const watchIt = `watch it with: charlotte watch ${jobId}`
const again = "try again in a moment"

/** Those that a server tells of; the sentence is all that stands on the standard error, behind the name of the command. */
const cases = [
  [
    75,
    starting(new errors.MaxJobsReached({ maxJobs: 2 })),
    /^max jobs \(2\) reached; add --queue to wait for a permit, or stop a job; /
  ],
  [
    75,
    starting(new errors.JobConflict({ jobId, key: "\x1b[2Jk" })),
    `job ${jobId} already works on k; ${watchIt}; to wait behind it, add --key KEY --on-key queue`
  ],
  [
    75,
    starting(new errors.JobConflict({ jobId, key: "k", status: "parked" })),
    /, which is parked, holds k; .*; see: charlotte show \w{26}; to wait behind it, add --key KEY --on-key queue$/
  ],
  [
    75,
    starting(new errors.QueueFull({ maxQueued: 3 })),
    "the queue is full: 3 runs are pending; list them with: charlotte jobs --status pending"
  ],
  [
    2,
    starting(new errors.IdempotencyKeyReused({ key: "k", jobId })),
    /with another body or other options; use a new key$/
  ],
  [75, starting(new errors.ShuttingDown()), /; try again when the daemon has restarted; see: charlotte daemon status$/],
  [75, starting(storeError("busy")), new RegExp(`; ${again}$`)],
  [75, starting(storeError("closed")), new RegExp(`; ${again}$`)],
  [1, starting(storeError("full")), /; free disk space and try again$/],
  [1, starting(storeError("replaced")), /; restart the daemon with: charlotte daemon restart$/],
  [1, starting(storeError("readonly")), /; see: charlotte doctor$/],
  [1, starting(storeError("corrupt")), /; see: charlotte doctor$/],
  [1, starting(storeError("version")), /; see: charlotte doctor$/],
  [1, starting(storeError("other")), /; see: charlotte doctor$/],
  [2, stopping(new errors.JobNotFound({ jobId })), `job ${jobId} not found; list jobs with: charlotte jobs`],
  [
    1,
    stopping(new errors.StopTimedOut({ jobId, elapsed: Duration.seconds(6) })),
    `job ${jobId} is still running 6s after the stop request; it is still stopping; see: charlotte show ${jobId}`
  ],
  [
    2,
    resuming(new errors.NotResumable({ jobId, status: "failed" })),
    `job ${jobId} cannot be resumed: it is failed; continue in a new job with: charlotte retry ${jobId}`
  ],
  [75, resuming(new errors.JobConflict({ jobId, key: "k" })), `job ${jobId} already works on k; ${watchIt}`],
  [
    75,
    resuming(new errors.MaxJobsReached({ maxJobs: 1 })),
    /^max jobs \(1\) reached; wait for a job to end or stop one; /
  ],
  [2, signalling(new errors.JobNotFound({ jobId })), `job ${jobId} not found; list jobs with: charlotte jobs`],
  [
    2,
    signalling(new errors.JobEnded({ jobId, status: "completed" })),
    `job ${jobId} has ended: it is completed; see its result with: charlotte show ${jobId}`
  ],
  [
    2,
    signalling(new errors.InvalidSignal({ signal: "approve", reason: "payload.by: is missing" })),
    'invalid signal "approve": payload.by: is missing'
  ],
  [
    75,
    signalling(new errors.TooManySignals({ jobId, limit: 1_000 })),
    `job ${jobId} was sent 1000 signals since it last began, and keeps no more; see what it waits for with: charlotte show ${jobId}`
  ]
] as const

describe("command refused by the server", () => {
  for (const [code, { error, methods, sent, words }, sentence] of cases) {
    const reason = error._tag === "StoreError" ? ` (${error.reason})` : ""
    it.scopedLive(`exits with ${code} for ${error._tag}${reason}, and prints the API's error with --json`, () =>
      Effect.gen(function* () {
        const { directory, send } = yield* served(methods)
        const answer = yield* run(directory, words())
        expect(answer).toMatchObject({ code, out: "" })
        expect(answer.err).toMatch(/^charlotte: [^\n]+\n$/)
        expect(answer.err.slice("charlotte: ".length, -1)).toEqual(
          typeof sentence === "string" ? sentence : expect.stringMatching(sentence)
        )
        const json = yield* run(directory, [...words(), "--json"])
        expect([json.code, json.out]).toEqual([code, ""])
        expect(JSON.parse(json.err)).toEqual((yield* send(sent)).json)
      })
    )
  }

  it.scopedLive("exits with 2 for InvalidJobConfig, and names each field", () =>
    Effect.gen(function* () {
      const issues = [
        { path: ["targetBranch"], message: "there is no branch \x1b[31mx" },
        { path: ["tasksDir"], message: "tasks/a.md:3: is wrong" }
      ]
      const { directory, send } = yield* served({ start: () => new errors.InvalidJobConfig({ issues }) })
      const err = "charlotte: targetBranch: there is no branch x\ntasks/a.md:3: is wrong\n"
      expect(yield* run(directory, start())).toEqual({ code: 2, out: "", err })
      const json = yield* run(directory, [...start(), "--json"])
      expect([json.code, JSON.parse(json.err)]).toEqual([2, (yield* send(post("/jobs", submission))).json])
    })
  )

  it.scopedLive("exits with 70 for InternalError", () =>
    Effect.gen(function* () {
      const { directory, send } = yield* Effect.provide(served({ stopAllBy: () => Effect.die("a bug") }), silent)
      expect(yield* run(directory, ["stop", "--all"])).toEqual({
        code: 70,
        out: "",
        err: "charlotte: internal error; see the log of the server\n"
      })
      const json = yield* run(directory, ["stop", "--all", "--json"])
      expect([json.code, JSON.parse(json.err)]).toEqual([70, (yield* send(post("/jobs/stop", { all: true }))).json])
    })
  )

  it.scopedLive("exits at once with 75 for RequestRefused at the limit of streams", () =>
    Effect.gen(function* () {
      const { directory, send } = yield* served({}, {}, { maxStreams: 0 })
      const refused = new Http.errors.RequestRefused({ reason: "limit" })
      expect(yield* run(directory, ["watch"])).toEqual({ code: 75, out: "", err: `charlotte: ${refused.message}\n` })
      const json = yield* run(directory, ["watch", "--json"])
      expect([json.code, JSON.parse(json.err)]).toEqual([75, (yield* send({ path: "/api/v1/events" })).json])
    })
  )

  it.scopedLive("exits with 1 for NotReady, and lists all problems", () =>
    Effect.gen(function* () {
      const { directory } = yield* served({}, {}, { problems: Effect.succeed(["the moon \x1b[2Jis full"]) })
      const { code, err, out } = yield* run(directory, ["daemon", "status"])
      expect([code, err]).toEqual([1, ""])
      expect(out).toMatch(/^charlotte daemon \(pid \d+, [^]*\n {2}! the moon is full\n$/)
      const json = yield* run(directory, ["daemon", "status", "--json"])
      expect([json.code, JSON.parse(json.out)]).toMatchObject([
        1,
        { ready: false, problems: ["the moon \x1b[2Jis full"] }
      ])
    })
  )
})

describe("command that reaches no server of its version", () => {
  const answering =
    (status: number, body: object): RequestListener =>
    (_, response) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))

  it.scopedLive("exits with 75 for VersionMismatch, and prints how to restart the daemon", () =>
    Effect.gen(function* () {
      const body = { _tag: "VersionMismatch", client: "0.1.0", daemon: "9.9.9" }
      const home = yield* strange(answering(412, body))
      const { code, err, out } = yield* run(home, stop())
      expect([code, out]).toEqual([75, ""])
      expect(err).toBe(
        "charlotte: this is charlotte 0.1.0, and the daemon is 9.9.9; restart it with: charlotte daemon restart\n"
      )
      expect(JSON.parse((yield* run(home, [...stop(), "--json"])).err)).toMatchObject(body)
    })
  )

  it.scopedLive("exits with 1 for UnexpectedAnswer and ConnectionFailed, and refers to charlotte daemon status", () =>
    Effect.gen(function* () {
      const servers: { readonly [tag: string]: RequestListener } = {
        UnexpectedAnswer: answering(200, {}),
        ConnectionFailed: ({ socket }) => socket.destroy()
      }
      for (const [tag, listener] of Object.entries(servers)) {
        const home = yield* strange(listener)
        for (const words of [["jobs"], stop(), ["stop", "--all"], ["show", jobId]]) {
          const { code, err, out } = yield* run(home, words)
          expect([words, code, out]).toEqual([words, 1, ""])
          expect(err).toMatch(/^charlotte: [^\n]*; see: charlotte daemon status\n$/)
          expect(JSON.parse((yield* run(home, [...words, "--json"])).err)).toMatchObject({ _tag: tag })
        }
      }
    })
  )

  it.scopedLive("exits with 69 for DaemonNotRunning on a stale socket, and prints how to start the daemon", () =>
    Effect.gen(function* () {
      const home = yield* TemporaryDirectory.make
      yield* claim(home)
      const err = `charlotte: no server listens on ${home}/socket; start a daemon with: charlotte daemon start\n`
      for (const words of [["jobs"], stop(), ["stop", "--all"], ["show", jobId], ["watch"], start()]) {
        expect([words, yield* run(home, words)]).toEqual([words, { code: 69, out: "", err }])
        const json = yield* run(home, [...words, "--json"])
        expect([json.code, JSON.parse(json.err)]).toMatchObject([69, { _tag: "DaemonNotRunning" }])
      }
    })
  )

  it.scopedLive("exits with 75 for HomeBusy while a foreground run holds the home", () =>
    Effect.gen(function* () {
      const { directory } = yield* worldOf({})
      yield* claim(directory, "run")
      const { code, err, out } = yield* run(directory, start())
      expect([code, out]).toEqual([75, ""])
      expect(err).toMatch(
        /^charlotte: .* is in use by charlotte run \(pid \d+, .*; wait until it has exited and start a daemon, which takes several jobs: charlotte daemon start; or set CHARLOTTE_HOME to another directory\n$/
      )
    })
  )
})

/** What no command asks for, or meets elsewhere: their codes alone. */
const others: ReadonlyArray<readonly [code: number, error: { readonly _tag: string }]> = [
  [1, new Http.errors.ListenError({ address: "127.0.0.1:1", problem: "it is taken" })],
  [1, new Http.errors.CursorAhead({ after: 7 })],
  [2, new Http.errors.IdempotencyKeyReused({ key: "k", jobId })],
  [2, new Http.errors.InvalidQuery({ parameter: "p", problem: "is wrong" })],
  [2, new Http.errors.InvalidRequest({ problem: "it is" })],
  [2, new Http.errors.LogNotFound({ jobId, log: "x" })],
  [2, new Http.errors.StepNotFound({ jobId, step: "x" })],
  [2, new Http.errors.DiffUnavailable({ jobId, reason: "gone" })],
  [2, new Http.errors.ApprovalRefused({ jobId, reason: "otherCommit", result: "0123456" })],
  [75, new Http.errors.PageUnavailable({ address: "127.0.0.1:7433", problem: "it is taken" })],
  // Browsers meet these.
  [1, new Http.errors.InvalidCode()],
  [1, new Http.errors.SessionNotFound()],
  [1, new Http.errors.TooManyTries()],
  [1, new Http.errors.NoSuchRoute({ method: "GET", path: "/x" })],
  [2, new Http.errors.NoSuchKind({ kind: "email", kinds: ["tasks"] })],
  [75, new errors.QueueFull({ maxQueued: 1 })],
  [75, new errors.TooManySignals({ jobId, limit: 1 })],
  [2, new errors.JobEnded({ jobId, status: "failed" })],
  [2, new errors.NotRetryable({ jobId, status: "running" })],
  [2, new errors.NotRemovable({ jobId, reason: "active" })],
  [2, new errors.NotReschedulable({ jobId, status: "running" })],
  [75, new errors.KindPaused({ kind: "tasks" })],
  [2, new errors.AlreadyAnswered({ jobId, unit: "api" })],
  [2, new errors.NoOpenQuestion({ jobId, waiting: [] })],
  [2, new errors.InvalidSignal({ signal: "x", reason: "y" })],
  [1, new errors.UndecodableRun({ jobId, field: "result.at", issue: "is missing" })],
  [1, new errors.ChildFailed({ jobId: JobId.make(jobId), kind: "part", child: "one", status: "cancelled" })],
  [75, new errors.AlreadyManaged({ kind: "tasks", pid: 7 })],
  [75, new errors.AlreadySubscribed({ subscriber: "invoices" })],
  [75, new errors.SubscriberInUse({ subscriber: "invoices" })],
  [2, new errors.InvalidCron({ schedule: "nightly", cron: "x", timeZone: "UTC", issue: "it has no tick" })],
  [2, new errors.ScheduleNotFound({ kind: "email", schedule: "nightly" })],
  [75, new errors.ScheduleNotLive({ kind: "email", schedule: "nightly" })],
  [2, new errors.SubscriberNotFound({ subscriber: "invoices" })],
  [2, new errors.NodeConflict({ kind: "tasks", address: "10.0.0.5:7440" })],
  [1, new errors.Superseded({ jobId: JobId.make(jobId), attempt: 1 })]
]

describe("other errors", () => {
  for (const [code, error] of others) {
    it(`exits with ${code}: ${error._tag}`, () => expect(exitOf(error)[0]).toBe(code))
  }

  it("are all covered by a case in this file", () => {
    const told = [
      "ConnectionFailed",
      "DaemonNotRunning",
      "InternalError",
      "InvalidJobConfig",
      "NotReady",
      "RequestRefused",
      "UnexpectedAnswer",
      "VersionMismatch"
    ]
    const cased = new Set([...cases.map(([, { error }]) => error._tag), ...others.map(([, { _tag }]) => _tag), ...told])
    const known = new Set([...Object.keys(errors), ...Object.keys(Http.errors)])
    expect([...cased].sort()).toEqual([...known].sort())
  })
})
