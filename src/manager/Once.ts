/**
 * A value that comes once, and who waits for it: a `Deferred` of which a manager can have two for each job. That of Effect
 * takes a kilobyte, and as long as everything else that is done to admit a job.
 */
import { Effect, type Exit } from "effect"

/** A class for its size: but for `done`, which is handed on, what it can do is kept once, and not in each. */
export class Once<in out A, in out E = never> {
  private answer: Exit.Exit<A, E> | undefined
  private waiting: Set<(answer: Exit.Exit<A, E>) => void> | undefined

  get await(): Effect.Effect<A, E> {
    return Effect.async<A, E>((resume) => Effect.sync(this.whenDone(resume)))
  }

  /** Answers all who wait, and whoever comes later; only the first answer counts. */
  readonly done = (exit: Exit.Exit<A, E>): void => {
    if (this.answer !== undefined) return
    this.answer = exit
    const told = this.waiting ?? []
    this.waiting = undefined
    for (const tell of told) tell(exit)
  }

  /** Tells the answer, perhaps at once; what it returns takes the question back. */
  whenDone(tell: (exit: Exit.Exit<A, E>) => void): () => void {
    if (this.answer === undefined) (this.waiting ??= new Set()).add(tell)
    else tell(this.answer)
    return () => this.waiting?.delete(tell)
  }
}

export const make = <A, E = never>(): Once<A, E> => new Once()
