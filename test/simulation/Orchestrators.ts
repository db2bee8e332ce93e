/**
 * What the jobs do: some work through tasks, as the product does, others do whatever an orchestrator might come to.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Cause, Context, DateTime, Duration, Effect, Layer, Option } from "effect"
import type { JobConfig } from "../../src/domain/JobConfig.js"
import * as OrchestratorModule from "../../src/manager/Orchestrator.js"
import type { RunStore } from "../../src/store/RunStore.js"
import { Agents, Agent } from "../../src/tasks/Agents.js"
import { Git } from "../../src/git/Git.js"
import { ProcessRunner } from "../../src/process/ProcessRunner.js"
import * as TaskOrchestrator from "../../src/tasks/TaskOrchestrator.js"
import * as PlanSnapshot from "../../src/tasks/run/PlanSnapshot.js"
import * as race from "../../src/internal/race.js"
import * as Children from "./Children.js"
import { fail } from "./fail.js"
import type { Life } from "./Life.js"
import * as Random from "./Random.js"
import { targets } from "./Repository.js"
import * as Submissions from "./Submissions.js"
import type { Job, World } from "./World.js"

const { Orchestrator } = OrchestratorModule

/** A service that is another one around the manager than in the layer of the orchestrator. */
export class Home extends Context.Tag("simulation/Home")<Home, string>() {}

const home = "of the orchestrator"

const agents = Layer.succeed(Agents, {
  wrap: () => [],
  names: ["script"],
  found: Effect.succeed(["script"]),
  get: () => Effect.succeed(Agent.Script({ env: [] })),
  gates: { env: [], timeout: Duration.hours(1) },
  reload: Effect.void
})

const files = FileSystem.layerNoop({
  makeDirectory: () => Effect.void,
  writeFileString: () => Effect.void
})

/** Says who runs, from the beginning to the very end of the scope. */
const attended = ({ ledger, machine, maxJobs, records }: World, life: Life, { attempt, config, id, tries }: Job) => {
  const body = { life, attempt }
  const name = machine.nameOf(id)
  return Effect.acquireRelease(
    Effect.sync(() => {
      const counts = ledger.counts(life)
      const other = ledger.body(id)
      if (counts && other !== undefined) machine.violate(`${name} runs twice at once`)
      const recorded = records.jobs.get(id)
      if (counts && recorded?.attempt !== attempt)
        machine.violate(`${name} runs attempt ${attempt}, which is not recorded`)
      if (counts && recorded?.tries !== tries)
        machine.violate(`${name} runs with ${tries} tries, and ${recorded?.tries} are recorded`)
      ledger.enter(id, body)
      const active = ledger.bodies()
      if (active.length > maxJobs) machine.violate(`${active.length} orchestrators run, and ${maxJobs} may`)
      machine.trace.say(`${name} begins attempt ${attempt} of ${JSON.stringify(config.labels)}`)
    }),
    () =>
      Effect.sync(() => {
        ledger.leave(body)
        machine.trace.say(`${name} leaves attempt ${attempt}`)
      })
  )
}

/** The newest signal of a name: one that comes meanwhile may be it, or not. */
const readSignal = ({ machine, records }: World, { id, signal }: Job, name: string) =>
  Effect.gen(function* () {
    const sent = () =>
      (records.jobs.get(id)?.signals ?? []).flatMap((signal) => (signal.name === name ? [signal.payload] : []))
    const before = sent().length
    const found = Option.getOrUndefined(yield* signal(name))
    if (found !== sent()[before - 1] && !sent().slice(before).includes(found))
      machine.violate(`${machine.nameOf(id)} was told ${String(found)} of ${name}, and ${sent().join(", ")} were sent`)
  })

/** Until a time, for a signal, or for both; at times in a child. */
const park = ({ park }: Job, random: Random.Random) =>
  Effect.gen(function* () {
    const now = yield* DateTime.now
    const reason = "chance"
    const parking = park(
      random.chance(0.5)
        ? {
            reason,
            until: DateTime.add(now, { millis: random.between(-100, 8_000) }),
            ...(random.chance(0.5) ? { signal: random.pick(Submissions.signals) } : {})
          }
        : { reason, signal: random.pick(Submissions.signals) }
    )
    if (random.chance(0.7)) return yield* parking
    yield* Effect.fork(parking)
    return yield* Children.held
  })

/** As many steps as chance wants, and then an end; the same for the same attempt of the same job. */
const scripted = (world: World, life: Life, job: Job, runner: ProcessRunner["Type"]) =>
  Effect.gen(function* () {
    const { ledger, machine, records } = world
    if (job.config.labels?.["script"] === "hold") return yield* Children.held
    const random = Random.make(Number(job.config.labels?.["script"]) * 7_919 + job.attempt)
    const name = machine.nameOf(job.id)
    const found = yield* Home
    if (found !== home) machine.violate(`${name} has a service ${found}`)
    let n = 0
    const emit = Effect.suspend(() =>
      Effect.map(job.emit({ type: "step", payload: { attempt: job.attempt, n: ++n } }), () =>
        ledger.accept(life, job.id, job.attempt)
      )
    )
    const process =
      job.attempt > 0 &&
      (() =>
        runner.run({
          jobId: job.id,
          attempt: job.attempt,
          purpose: "agent",
          command: ["agent"],
          cwd: "/",
          output: "/log",
          grace: () => job.grace,
          graceOver: job.graceOver,
          onForced: job.killed
        }))
    if (random.chance(0.15)) yield* Effect.addFinalizer(() => life.sleep(random.between(0, 800)))
    if (random.chance(0.05)) yield* Effect.addFinalizer(() => Effect.die("in a finalizer"))
    if (random.chance(0.1)) yield* Effect.addFinalizer(() => job.emit({ type: "bye" }))
    if (random.chance(0.3)) yield* readSignal(world, job, random.pick(Submissions.signals))
    if (world.waits && random.chance(0.2)) return yield* park(job, random)
    // In a cluster they are there for longer, since more has to happen to them until they are taken over.
    const steps = random.between(0, world.isCluster ? 30 : 5)
    for (let step = 0; step < steps; step++) {
      switch (
        random.weighted({
          emit: 4,
          flood: world.isCluster ? 0.01 : 0.1,
          flush: 2,
          wait: 3,
          process: 5,
          together: 1,
          fork: 2,
          deaf: 0.5,
          forced: 0.5
        })
      ) {
        case "emit":
          for (let i = random.between(1, 4); i > 0; i--) yield* emit
          break
        case "flood":
          for (let i = 1_200; i > 0; i--) yield* emit
          break
        case "flush": {
          const emitted = n
          yield* job.flush
          const written = records.jobs.get(job.id)?.emitted.get(job.attempt) ?? 0
          if (written < emitted && ledger.counts(life))
            machine.violate(`${name} was told that ${emitted} events are written, and ${written} are`)
          break
        }
        case "wait":
          yield* Effect.sleep(random.between(0, random.chance(0.2) ? 20_000 : 500))
          break
        case "process":
          if (process) yield* process()
          break
        case "together":
          if (process) yield* race.all([Effect.asVoid(process()), Effect.asVoid(process())])
          break
        case "fork":
          for (let i = random.between(1, 3); i > 0; i--) yield* Children.fork(world, life, job, random)
          break
        case "deaf":
          yield* Effect.uninterruptible(Effect.sleep(random.between(0, world.isCluster ? 1_000 : 9_000)))
          break
        case "forced":
          yield* job.forced
      }
    }
    switch (
      random.weighted({
        succeed: 4,
        fail: 2,
        die: 1,
        interrupt: 0.7,
        hold: 2.5,
        linger: 0.5,
        park: world.waits ? 3 : 0,
        giveUp: world.kind ? 1 : 0
      })
    ) {
      case "park":
        return yield* park(job, random)
      case "succeed":
        return { steps }
      case "fail":
        return yield* fail(world, life, job, random, Cause.fail("it has failed"))
      case "die":
        return yield* fail(world, life, job, random, Cause.die("it has died"))
      case "giveUp":
        ledger.giveUp(life, job.id, job.attempt)
        return yield* job.fail("it has failed for good")
      case "interrupt":
        return yield* Effect.interrupt
      case "linger":
        return yield* Effect.onInterrupt(Children.held, () => job.graceOver)
      case "hold":
        return yield* Children.held
    }
  })

/** A job of tasks has a `target`, any other a `script`. */
const targetOf = ({ labels }: JobConfig) => targets.find((target) => labels?.["target"] === target)

export const layer = (
  world: World,
  life: Life
): Layer.Layer<OrchestratorModule.Orchestrator, never, RunStore | ProcessRunner> =>
  Layer.effect(
    Orchestrator,
    Effect.gen(function* () {
      const tasks = yield* Orchestrator
      const runner = yield* ProcessRunner
      const scripts = yield* Effect.provide(
        Orchestrator,
        OrchestratorModule.layer((job) => scripted(world, life, job, runner))
      )
      return Orchestrator.of({
        check: (config, kept) =>
          Effect.suspend(() => {
            const target = targetOf(config)
            const base = target && world.repository.at(target)
            if (target === undefined || base === undefined) {
              const key = config.labels?.["key"]
              return Effect.succeed(key === undefined ? {} : { key })
            }
            if (kept !== undefined) return tasks.check?.(config, kept) ?? Effect.succeed({})
            const { random, timeline } = world.machine
            const submission = Submissions.make(random, { at: timeline.now(), target, base })
            return Effect.succeed<OrchestratorModule.Checked>({
              ...PlanSnapshot.key(submission),
              submission: PlanSnapshot.encode(submission)
            })
          }),
        run: (job) =>
          Effect.zipRight(
            attended(world, life, job),
            targetOf(job.config) === undefined ? scripts.run(job) : tasks.run(job)
          ),
        ...(tasks.recover && { recover: tasks.recover })
      })
    })
  ).pipe(
    Layer.provide(TaskOrchestrator.layer({ directory: "/home" })),
    Layer.provide(Layer.succeed(Home, home)),
    Layer.provide([agents, files, Path.layer, Layer.succeed(Git, world.repository.git(life))])
  )
