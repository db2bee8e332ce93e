/**
 * What `config.yaml` in the home directory says: agents, the variables of gates, and how many jobs run at once. All of it may
 * be left out, and the file too.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Array, Config, Context, type Duration, Effect, Either, Layer, Option, ParseResult, Schema } from "effect"
import { lstatSync } from "node:fs"
import type { AlreadyManaged, StoreError } from "../domain/errors.js"
import * as JobManager from "../manager/JobManager.js"
import type { Orchestrator } from "../manager/Orchestrator.js"
import type { RunStore } from "../store/RunStore.js"
import type * as Agents from "../tasks/Agents.js"
import * as Profiles from "../tasks/agents/Profiles.js"
import * as Section from "../tasks/agents/Section.js"
import { Count, Span } from "../tasks/plan/Fields.js"
import { Problem } from "../tasks/plan/Problem.js"
import * as TextFile from "../tasks/plan/TextFile.js"
import * as Yaml from "../tasks/plan/Yaml.js"
import { Home } from "./Home.js"

export class Configuration extends Context.Tag("charlotte/Configuration")<Configuration, Service>() {}

export interface Service {
  readonly agents: Agents.Settings
  /** The manager decides what is not configured. */
  readonly maxJobs: number | undefined
  readonly stopGrace: Duration.Duration | undefined
}

/** All that is wrong with the configuration, at once. */
export class InvalidConfiguration extends Schema.TaggedError<InvalidConfiguration>()("InvalidConfiguration", {
  /** The `file` of each is an absolute path, or the name of a variable. */
  problems: Schema.NonEmptyArray(Problem)
}) {
  override get message() {
    const count = this.problems.length === 1 ? "1 problem" : `${this.problems.length} problems`
    return [`the configuration has ${count}:`, ...this.problems.map(String)].join("\n")
  }
}

/** What a manager takes for which nothing is configured. */
export const defaultMaxJobs = 10

const keys = [...Profiles.keys, "maxJobs", "stopGrace"]

/** As much as the parser takes. */
const maxSize = 16 * 1024

/** Reads the file, and the variables that go before it: `CHARLOTTE_MAX_JOBS` and `CHARLOTTE_STOP_GRACE`. */
export const make: Effect.Effect<Service, InvalidConfiguration, Home | FileSystem> = Effect.gen(function* () {
  const { config: file } = yield* Home
  const text = yield* Effect.either(read(file))
  const yaml = Yaml.parse(
    file,
    Either.getOrElse(text, () => "")
  )
  const { gates, problems, profiles } = Profiles.read(file, yaml)
  const inFile = { maxJobs: yaml.get("maxJobs", Count, undefined), stopGrace: yaml.get("stopGrace", Span, undefined) }
  const maxJobs = yield* variable("CHARLOTTE_MAX_JOBS", inFile.maxJobs, (text) =>
    Schema.decodeUnknownEither(Count)(Number(text))
  )
  const stopGrace = yield* variable("CHARLOTTE_STOP_GRACE", inFile.stopGrace, Schema.decodeUnknownEither(Span))

  const all = [
    ...Array.getLefts([text]),
    ...Section.top(file, yaml, keys),
    ...problems,
    ...yaml.problems,
    ...Array.getLefts([maxJobs, stopGrace])
  ]
  if (Array.isNonEmptyArray(all)) return yield* new InvalidConfiguration({ problems: all })
  return {
    agents: { profiles, gates, file },
    maxJobs: Either.getOrUndefined(maxJobs),
    stopGrace: Either.getOrUndefined(stopGrace)
  }
})

/** An empty text if there is no such file; it may be a link to where people keep such files. */
const read = (file: string): Effect.Effect<string, Problem, FileSystem> =>
  Effect.gen(function* () {
    // Most have none, and every start waits for this.
    if (yield* isMissing(file)) return ""
    const fs = yield* FileSystem
    const { kind } = yield* TextFile.inspect(file)
    const path = kind === "a symbolic link" ? yield* fs.realPath(file) : file
    const { size } = yield* TextFile.inspect(path)
    if (size > maxSize) {
      return yield* Effect.fail(new Problem({ file, message: `is larger than ${maxSize / 1024} KiB: shorten it` }))
    }
    return (yield* TextFile.read(path, file)).text
  }).pipe(Effect.mapError((error) => (error instanceof Problem ? error : TextFile.unreadable(file, error))))

const isMissing = (file: string) =>
  Effect.orElseSucceed(
    Effect.try(() => lstatSync(file, { throwIfNoEntry: false }) === undefined),
    () => false
  )

/** The value of a variable, if it is set to anything. */
const variable = <A>(
  name: string,
  otherwise: A,
  decode: (text: string) => Either.Either<A, ParseResult.ParseError>
): Effect.Effect<Either.Either<A, Problem>> =>
  Effect.map(Effect.orDie(Config.option(Config.nonEmptyString(name))), (text) =>
    Option.match(text, {
      onNone: () => Either.right(otherwise),
      onSome: (text) =>
        Either.mapLeft(decode(text), (error) => {
          const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
          return new Problem({ file: name, message: issue?.message ?? error.message })
        })
    })
  )

export const layer: Layer.Layer<Configuration, InvalidConfiguration, Home | FileSystem> = Layer.effect(
  Configuration,
  make
)

export type ManagerOptions = Pick<JobManager.Options, "recovery">

/** A manager of jobs, as it is configured. */
export const jobManager = (
  options: ManagerOptions
): Layer.Layer<JobManager.JobManager, StoreError | AlreadyManaged, Orchestrator | RunStore | Configuration> =>
  Layer.unwrapEffect(
    Effect.map(Configuration, ({ maxJobs, stopGrace }) =>
      JobManager.layer({
        ...options,
        ...(maxJobs !== undefined && { maxJobs }),
        ...(stopGrace !== undefined && { stopGrace })
      })
    )
  )
