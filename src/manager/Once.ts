/**
 * A value that comes once, and who waits for it: a `Deferred` of which a manager can have two for each job. That of Effect
 * takes a kilobyte, and as long as everything else that is done to admit a job.
 */
import { Effect, type Exit } from "effect"

export interface Once<in out A, in out E = never> {
  readonly await: Effect.Effect<A, E>
  /** Answers all who wait, and whoever comes later; only the first answer counts. */
  readonly done: (exit: Exit.Exit<A, E>) => void
  /** Tells the answer, perhaps at once; what it returns takes the question back. */
  readonly whenDone: (tell: (exit: Exit.Exit<A, E>) => void) => () => void
}

export const make = <A, E = never>(): Once<A, E> => {
  let answer: Exit.Exit<A, E> | undefined
  let waiting: Set<(answer: Exit.Exit<A, E>) => void> | undefined

  const whenDone = (tell: (answer: Exit.Exit<A, E>) => void): (() => void) => {
    if (answer === undefined) (waiting ??= new Set()).add(tell)
    else tell(answer)
    return () => waiting?.delete(tell)
  }

  return {
    whenDone,
    await: Effect.async<A, E>((resume) => Effect.sync(whenDone(resume))),
    done: (exit) => {
      if (answer !== undefined) return
      answer = exit
      const told = waiting ?? []
      waiting = undefined
      for (const tell of told) tell(exit)
    }
  }
}
