/**
 * The child process of a rehearsal: it imports the module of an application, and decodes records by its kinds, with the Effect that the
 * module itself uses. It imports nothing of Charlotte, and Node runs it as it stands.
 */
import * as dgram from "node:dgram"
import * as net from "node:net"
import type * as EffectModule from "effect"
import type { Reply, Request } from "./protocol.js"

const refuse = (): never => {
  throw new Error("a rehearsal refuses the network")
}
net.Socket.prototype.connect = refuse
dgram.Socket.prototype.send = refuse

interface AnySchema {
  readonly ast: { readonly _tag: string }
}

interface Kind {
  readonly kind: string
  readonly config: AnySchema
  readonly success: AnySchema
  readonly error: AnySchema
  readonly events?: { readonly [type: string]: AnySchema } | undefined
  readonly signals?: { readonly [name: string]: AnySchema } | undefined
  readonly starts: { readonly [name: string]: unknown }
}

const field = (value: unknown, name: string): unknown =>
  (typeof value === "object" && value !== null) || typeof value === "function"
    ? // oxlint-disable-next-line typescript/consistent-type-assertions -- any property of any object
      (value as { readonly [name: string]: unknown })[name]
    : undefined

const isSchema = (value: unknown): value is AnySchema => typeof field(field(value, "ast"), "_tag") === "string"

/** Kinds are known by their shape: the application may have another copy of Charlotte. */
const isKind = (value: unknown): value is Kind =>
  typeof field(value, "kind") === "string" &&
  ["config", "success", "error"].every((name) => isSchema(field(value, name))) &&
  typeof field(value, "starts") === "object"

const module = process.argv[2] ?? ""
const effect: typeof EffectModule = await import(import.meta.resolve("effect", module))
const { Cause, Effect, Exit, ParseResult, Schema } = effect
const exported: object = await import(module)
const kinds = new Map(
  Object.values(exported)
    .filter(isKind)
    .map((kind) => [kind.kind, kind])
)

/** A problem, without the value: it may be secret, and differs from job to job. */
const issueOf = (error: EffectModule.ParseResult.ParseError): string => {
  const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
  const issue = issues.find(({ message }) => !message.startsWith("Expected undefined")) ?? issues[0]
  const path = (issue?.path ?? []).map(String).join(".")
  const message = (issue?.message ?? "does not decode").replace(/, actual .*$/s, "")
  const text = message === "is missing" ? message : `does not decode: ${message}`
  return path === "" ? text : `field \`${path}\` ${text}`
}

type Decoded = { readonly value: unknown } | { readonly problem: string } | "needs services"

const outcomeOf = (exit: EffectModule.Exit.Exit<unknown, EffectModule.ParseResult.ParseError>): Decoded | "async" => {
  if (Exit.isSuccess(exit)) return { value: exit.value }
  const failure = Cause.failureOption(exit.cause)
  if (failure._tag === "Some") return { problem: issueOf(failure.value) }
  const defect: unknown = Cause.squash(exit.cause)
  if (field(defect, "_tag") === "AsyncFiberException") return "async"
  const message = String(field(defect, "message") ?? defect)
  return message.startsWith("Service not found") ? "needs services" : { problem: `does not decode: ${message}` }
}

const decodeAs = async (schema: AnySchema, recorded: unknown): Promise<Decoded> => {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- a schema of the application's Effect; what it needs is seen when it runs
  const typed = schema as unknown as EffectModule.Schema.Schema<unknown>
  const decoding = Schema.decodeUnknown(typed, { onExcessProperty: "ignore" })(recorded)
  const outcome = outcomeOf(Effect.runSyncExit(decoding))
  if (outcome !== "async") return outcome
  const later = outcomeOf(await Effect.runPromiseExit(decoding))
  return later === "async" ? { problem: "does not decode" } : later
}

/** As the manager decodes: a value that is `undefined` is recorded as `null`. */
const decode = async (schema: AnySchema, recorded: unknown): Promise<Decoded> => {
  const outcome = await decodeAs(schema, recorded)
  if (recorded !== null || outcome === "needs services" || "value" in outcome) return outcome
  const other = await decodeAs(schema, undefined)
  return other === "needs services" || "problem" in other ? outcome : other
}

/** What a start needs besides a configuration, but for its check. */
const derived = (kind: Kind, config: unknown): string | undefined => {
  for (const name of ["key", "labels", "group"]) {
    const derive = kind.starts[name]
    if (typeof derive !== "function") continue
    try {
      const value: unknown = Reflect.apply(derive, undefined, [config])
      const isFit = name === "labels" ? typeof value === "object" && value !== null : typeof value === "string"
      if (!isFit && value !== undefined) return `\`${name}\` of its config is ${typeof value}`
    } catch (error) {
      return `\`${name}\` of its config fails: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return undefined
}

const about = (what: string, decoded: Decoded): Reply.Verdict =>
  decoded === "needs services"
    ? { unrehearsed: what }
    : "problem" in decoded
      ? { problem: `${what}: ${decoded.problem}` }
      : null

const verdict = async ({ json, kind: name, name: part, of }: Request.Record): Promise<Reply.Verdict> => {
  const kind = kinds.get(name)
  if (kind === undefined) return null
  const value: unknown = JSON.parse(json)
  switch (of) {
    case "config": {
      const decoded = await decode(kind.config, value)
      if (decoded === "needs services" || "problem" in decoded) return about("config", decoded)
      const problem = derived(kind, decoded.value)
      return problem === undefined ? null : { problem }
    }
    case "parked": {
      const signal = field(value, "signal")
      const isUnknown =
        typeof signal === "string" &&
        !signal.startsWith("charlotte.") &&
        kind.signals !== undefined &&
        !(signal in kind.signals)
      return isUnknown ? { problem: `it is parked for the signal \`${signal}\`, which the kind does not take` } : null
    }
    case "result":
      return about("result", await decode(kind.success, value))
    case "error":
      return field(value, "kind") === "failure" ? about("error", await decode(kind.error, field(value, "error"))) : null
    default: {
      const schemas = of === "signal" ? kind.signals : kind.events
      if (schemas === undefined) return null
      const schema = schemas[part]
      if (schema === undefined) return { problem: `${of} \`${part}\`: the kind does not declare it` }
      return about(`${of} \`${part}\``, await decode(schema, value))
    }
  }
}

const reply = (sent: Reply) => process.send?.(sent)

process.on("message", (request: Request) => {
  void Promise.all(request.records.map(verdict)).then((verdicts) => reply({ verdicts }))
})
process.on("disconnect", () => process.exit())
reply({ kinds: [...kinds.keys()] })
