/**
 * Reads `config.yaml`, and the variables that override it: `CHARLOTTE_DATABASE`, `CHARLOTTE_MAX_JOBS` and the like. Most homes
 * have none, so `Configuration` imports this module, and the YAML parser with it, only when needed.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Array, type Duration, Effect, Either, Option, ParseResult, Schema } from "effect"
import { Landing } from "../../domain/JobConfig.js"
import type { Retention } from "../../domain/Retention.js"
import type * as Agents from "../../tasks/Agents.js"
import * as Profiles from "../../tasks/agents/Profiles.js"
import { decodeYaml } from "../../yaml/decodeYaml.js"
import { AbsolutePath, Count, CountFromZero, mapping, optional, Span, Switch } from "../../yaml/fields.js"
import { Diagnostic, order } from "../../yaml/Diagnostic.js"
import * as TextFile from "../../yaml/TextFile.js"
import { type DatabaseChoice, DatabaseText } from "./DatabaseChoice.js"
import { AddressText, type NodeSettings } from "./NodeSettings.js"
import * as Notify from "./NotifySettings.js"
import * as Schedules from "./ScheduleSettings.js"
import type { Settings } from "./PortSettings.js"
import type { Variables } from "./variables.js"

export interface Service {
  readonly agents: Agents.Settings
  /** The commands that send notices about jobs. */
  readonly notify: ReadonlyArray<Notify.NotifySettings>
  /** When jobs of tasks are started by themselves. */
  readonly schedules: ReadonlyArray<Schedules.ScheduleSettings>
  /** `undefined`: the database that the home used last. */
  readonly database: DatabaseChoice | undefined
  /** Settings of the daemon's port. */
  readonly port: Settings
  /** Settings of the daemon as a node of a cluster. */
  readonly node: NodeSettings
  /** `undefined`: the manager's default. */
  readonly maxJobs: number | undefined
  readonly stopGrace: Duration.Duration | undefined
  /** `undefined`: finished jobs are kept for ever. */
  readonly retention: Retention | undefined
}

/** All problems of the configuration. */
export class InvalidConfiguration extends Schema.TaggedError<InvalidConfiguration>()("InvalidConfiguration", {
  /** The `file` of each is an absolute path, or the name of a variable. */
  problems: Schema.NonEmptyArray(Diagnostic)
}) {
  override get message() {
    const count = this.problems.length === 1 ? "1 problem" : `${this.problems.length} problems`
    return [`the configuration has ${count}:`, ...this.problems.map(String)].join("\n")
  }
}

const Keys = mapping({
  ...Profiles.fields,
  ...Notify.fields,
  ...Schedules.fields,
  land: optional(Landing),
  database: optional(DatabaseText),
  tlsCert: optional(AbsolutePath),
  tlsKey: optional(AbsolutePath),
  tokenFile: optional(AbsolutePath),
  insecureHttp: optional(Switch),
  advertise: optional(AddressText),
  capacity: optional(Count),
  insecureCluster: optional(Switch),
  sharedRepositories: optional(Switch),
  maxJobs: optional(Count),
  stopGrace: optional(Span),
  retention: optional(
    mapping({
      completed: optional(Span),
      failed: optional(Span),
      cancelled: optional(Span),
      maxRuns: optional(CountFromZero)
    })
  )
})

/** A larger file is refused before it is parsed, in bytes. */
const maxSize = 16 * 1024

export interface Found {
  /** Whether there is a file. */
  readonly isThere: boolean
  readonly around: Variables
}

/** The configuration, or all of its problems. */
export const read = (
  file: string,
  { around, isThere }: Found
): Effect.Effect<Service, InvalidConfiguration, FileSystem> =>
  Effect.gen(function* () {
    const text = yield* Effect.either(isThere ? textOf(file) : Effect.succeed(""))
    const decoded = decodeYaml(Keys, { file, source: Either.getOrElse(text, () => "") })
    const { gates, profiles } = Profiles.read(decoded)
    const notify = Notify.read(decoded)
    const schedules = Schedules.read(decoded)
    const { value } = decoded
    const database = variable(around, "CHARLOTTE_DATABASE", value.database, Schema.decodeUnknownEither(DatabaseText))
    const count = (text: string) => Schema.decodeUnknownEither(Count)(Number(text))
    const maxJobs = variable(around, "CHARLOTTE_MAX_JOBS", value.maxJobs, count)
    const stopGrace = variable(around, "CHARLOTTE_STOP_GRACE", value.stopGrace, Schema.decodeUnknownEither(Span))
    const decodePath = Schema.decodeUnknownEither(AbsolutePath)
    const port = {
      tlsCert: variable(around, "CHARLOTTE_TLS_CERT", value.tlsCert, decodePath),
      tlsKey: variable(around, "CHARLOTTE_TLS_KEY", value.tlsKey, decodePath),
      tokenFile: variable(around, "CHARLOTTE_TOKEN_FILE", value.tokenFile, decodePath),
      insecureHttp: variable(around, "CHARLOTTE_INSECURE_HTTP", value.insecureHttp, decodeSwitch)
    }
    const node = {
      advertise: variable(around, "CHARLOTTE_ADVERTISE", value.advertise, Schema.decodeUnknownEither(AddressText)),
      capacity: variable(around, "CHARLOTTE_CAPACITY", value.capacity, count),
      insecureCluster: variable(around, "CHARLOTTE_INSECURE_CLUSTER", value.insecureCluster, decodeSwitch),
      sharedRepositories: variable(around, "CHARLOTTE_SHARED_REPOSITORIES", value.sharedRepositories, decodeSwitch)
    }

    const all = [
      ...Array.getLefts([text]),
      ...decoded.problems,
      ...Array.getLefts([database, maxJobs, stopGrace, ...Object.values(port), ...Object.values(node)])
    ]
    if (Array.isNonEmptyArray(all)) return yield* new InvalidConfiguration({ problems: Array.sort(all, order) })
    const settings = Either.all({ database, maxJobs, stopGrace, port: Either.all(port), node: Either.all(node) })
    // Cannot fail: any error is among the problems.
    return {
      agents: { profiles, gates, land: value.land, file },
      notify,
      schedules,
      retention: value.retention,
      ...(yield* Effect.orDie(settings))
    }
  })

const decodeSwitch = (text: string) =>
  Schema.decodeUnknownEither(Switch)(text === "true" ? true : text === "false" ? false : text)

/** The text of the file, which may be a symbolic link, such as into a dotfiles repository. */
const textOf = (file: string): Effect.Effect<string, Diagnostic, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const { kind } = yield* TextFile.inspect(file)
    const path = kind === "a symbolic link" ? yield* fs.realPath(file) : file
    const { size } = yield* TextFile.inspect(path)
    if (size > maxSize) {
      return yield* Effect.fail(new Diagnostic({ file, message: `is larger than ${maxSize / 1024} KiB: shorten it` }))
    }
    return (yield* TextFile.read(path, file)).text
  }).pipe(Effect.mapError((error) => (error instanceof Diagnostic ? error : TextFile.unreadable(file, error))))

/** The value of a variable if it is set, else `otherwise`. */
const variable = <A>(
  around: Variables,
  name: keyof Variables,
  otherwise: A,
  decode: (text: string) => Either.Either<A, ParseResult.ParseError>
): Either.Either<A, Diagnostic> =>
  Option.match(around[name], {
    onNone: () => Either.right(otherwise),
    onSome: (text) =>
      Either.mapLeft(decode(text), (error) => {
        const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
        return new Diagnostic({ file: name, message: issue?.message ?? error.message })
      })
  })
