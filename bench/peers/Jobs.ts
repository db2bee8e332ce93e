/**
 * The unfinished jobs of a peer in this process, by the number in their data.
 */

interface Deferred<A> {
  readonly promise: Promise<A>
  readonly resolve: (value: A) => void
}

const deferred = <A>(): Deferred<A> => {
  let resolve: (value: A) => void = () => undefined
  const promise = new Promise<A>((done) => (resolve = done))
  return { promise, resolve }
}

export interface Job {
  /** When its work began. */
  readonly running: Promise<number>
  /** When its end was recorded. */
  readonly ended: Promise<number>
}

export interface Jobs {
  readonly add: () => readonly [key: number, job: Job]
  readonly running: (key: number) => void
  readonly ended: (key: number) => void
}

export const make = (): Jobs => {
  const jobs = new Map<number, { readonly running: Deferred<number>; readonly ended: Deferred<number> }>()
  let last = 0
  return {
    add: () => {
      const job = { running: deferred<number>(), ended: deferred<number>() }
      jobs.set(++last, job)
      return [last, { running: job.running.promise, ended: job.ended.promise }]
    },
    running: (key) => jobs.get(key)?.running.resolve(performance.now()),
    ended: (key) => {
      jobs.get(key)?.ended.resolve(performance.now())
      jobs.delete(key)
    }
  }
}
