/**
 * The secrets that this process knows: values of variables that are passed on to agents, gates and notices, or whose names look like secrets, and
 * the token of the home. They are redacted in events, records and the log, not in the output files of agents and gates.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Context, Effect, Layer, Option, Redacted } from "effect"
import * as Redaction from "../../internal/Redaction.js"
import * as RedactedRunStore from "../../store/rules/RedactedRunStore.js"
import { RunStore } from "../../store/RunStore.js"
import * as SearchRedaction from "../../store/rules/SearchRedaction.js"
import { ParentEnvironment, type Variables } from "../../process/ChildEnvironment.js"
import type { Settings } from "../../tasks/Agents.js"
import { Configuration } from "../config/Configuration.js"
import { passwords, sqlite } from "../config/DatabaseChoice.js"
import type { Home } from "./Home.js"
import type { Problem } from "../Problem.js"
import * as Token from "./Token.js"

export class Secrets extends Context.Tag("charlotte/Secrets")<Secrets, Redaction.Growing>() {}

/** Names of variables whose values must not appear anywhere, even if they are not meant for agents. */
const secretive = /(^|_)(TOKEN|SECRET|(PG)?PASSWORD|PASSWD|CREDENTIALS?|API_?KEY|(SECRET|ACCESS|PRIVATE)_KEY)(_|$)/i

/** Variables whose values are addresses and names that messages need; only a password in a URL is redacted. */
const open = new Set(
  ["ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "IS_SANDBOX", "OPENAI_BASE_URL"].concat(
    "CHARLOTTE_DATABASE",
    "CHARLOTTE_TOKEN_FILE",
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
    ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "GOOGLE_APPLICATION_CREDENTIALS"]
  )
)

const passwordIn = (value: string): ReadonlyArray<string> => {
  const [, password] = /^[a-z][a-z0-9+.-]*:\/\/[^/@:\s]*:([^/@\s]+)@/i.exec(value) ?? []
  return password === undefined ? [] : [password]
}

const valuesOf = (names: Iterable<string>, around: Variables): ReadonlyArray<string> =>
  [...new Set(names)].flatMap((name) => {
    const value = around[name]
    if (value === undefined) return []
    return open.has(name) ? passwordIn(value) : [value, ...passwordIn(value)]
  })

const passedOn = ({ gates, profiles }: Settings): ReadonlyArray<string> => [
  ...profiles.flatMap(({ env }) => env),
  ...gates.env
]

export const layer: Layer.Layer<Secrets, Problem, Configuration | Home | FileSystem> = Layer.effect(
  Secrets,
  Effect.gen(function* () {
    const { agents, database = sqlite, notify } = yield* Configuration
    const around = yield* ParentEnvironment
    const token = yield* Token.find
    const sent = notify.flatMap(({ env }) => env)
    const names = [...passedOn(agents), ...sent, ...Object.keys(around).filter((name) => secretive.test(name))]
    return Redaction.growing([
      ...valuesOf(["CHARLOTTE_DATABASE", ...names], around),
      ...passwords(database),
      ...Option.toArray(Option.map(token, Redacted.value))
    ])
  })
)

/** Also redacts the variables that agents and gates inherit by a changed configuration. */
export const learn = (secrets: Option.Option<Redaction.Growing>, settings: Settings): Effect.Effect<void> =>
  Effect.map(ParentEnvironment, (around) => {
    if (Option.isSome(secrets)) valuesOf(passedOn(settings), around).forEach(secrets.value.learn)
  })

/** The token of the home, created if it is missing, and redacted from now on. */
export const token = Effect.tap(Token.make, (token) => Effect.map(Secrets, ({ learn }) => learn(Redacted.value(token))))

/** Redacts the search text of runs that were recorded without redaction. */
const searchRedaction = Layer.effect(SearchRedaction.SearchRedaction, Effect.map(Secrets, SearchRedaction.make))

/** Wraps a store so that secrets are redacted in it. */
export const kept = <E, R>(store: Layer.Layer<RunStore, E, R>): Layer.Layer<RunStore, E, R | Secrets> =>
  Layer.effect(
    RunStore,
    Effect.flatMap(Secrets, (secrets) => Effect.map(RunStore, (store) => RedactedRunStore.make(store, secrets)))
  ).pipe(Layer.provide(Layer.provide(store, searchRedaction)))
