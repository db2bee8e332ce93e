/**
 * What a manager needs of its process: once that is killed, nothing of it ever answers, and what the manager was doing comes no
 * further. Its fibers hold nothing then that would keep them, and its scope is never closed.
 */
import { Effect, Option } from "effect"

export interface Process {
  /** The same service, for as long as the process lives. */
  readonly during: <Service extends object>(service: Service) => Service
  readonly kill: Effect.Effect<void>
}

/** As `Effect.never`, without a timer. */
const hang = Effect.async<never>(() => {})

export const make = (): Process => {
  let isAlive = true

  const during = <Service extends object>(service: Service): Service =>
    new Proxy(service, { get: (target, name) => whileAlive(Reflect.get(target, name)) })

  const whileAlive = (value: unknown): unknown => {
    if (Option.isOption(value)) return Option.map(value, whileAlive)
    if (Effect.isEffect(value)) return Effect.suspend(() => (isAlive ? value : hang))
    if (typeof value === "function") {
      return (...args: ReadonlyArray<unknown>) => {
        const answer: unknown = Reflect.apply(value, undefined, args)
        return Effect.isEffect(answer) ? whileAlive(answer) : answer
      }
    }
    return typeof value === "object" && value !== null ? during(value) : value
  }

  return {
    during,
    kill: Effect.sync(() => {
      isAlive = false
    })
  }
}
