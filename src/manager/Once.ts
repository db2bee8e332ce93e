/**
 * A value that comes once, and who waits for it: a `Deferred` of which a manager can have two for each job. That of Effect
 * takes a kilobyte, and as long as everything else that is done to admit a job.
 */
import { Effect, type Exit } from "effect"

export interface Once<in out A, in out E = never> {
  readonly await: Effect.Effect<A, E>
  /** Answers all who wait, and whoever comes later; only the first answer counts. */
  readonly done: (exit: Exit.Exit<A, E>) => void
}

export const make = <A, E = never>(): Once<A, E> => {
  let answer: Exit.Exit<A, E> | undefined
  let waiting: Set<(answer: Exit.Exit<A, E>) => void> | undefined

  return {
    await: Effect.async<A, E>((resume) => {
      if (answer !== undefined) return resume(answer)
      waiting ??= new Set()
      waiting.add(resume)
      return Effect.sync(() => waiting?.delete(resume))
    }),
    done: (exit) => {
      if (answer !== undefined) return
      answer = exit
      const told = waiting ?? []
      waiting = undefined
      for (const resume of told) resume(exit)
    }
  }
}
