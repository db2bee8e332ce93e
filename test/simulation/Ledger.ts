/**
 * What the processes have seen and been told: who runs, what was accepted. It is kept outside of them, so that a crash loses
 * nothing of it.
 */
import type { Life } from "./Life.js"

export interface Body {
  readonly life: Life
  readonly attempt: number
}

/** A fiber that an orchestrator has forked. */
export interface Child extends Body {
  readonly jobId: string
}

/** Asks for the stop of a job, of those that hold a key, or of all. */
export type StopRequest = { readonly id?: string } | { readonly key: string }

export interface Ledger {
  /** Whether what runs in a process counts as running. */
  readonly counts: (life: Life) => boolean
  /** The orchestrator that runs for a job, if its process counts. */
  readonly body: (jobId: string) => Body | undefined
  readonly bodies: () => ReadonlyArray<readonly [string, Body]>
  readonly enter: (jobId: string, body: Body) => void
  readonly leave: (body: Body) => void
  /** The fibers alive that the orchestrator of a job has forked. */
  readonly children: (jobId: string) => number
  readonly enterChild: (child: Child) => void
  readonly leaveChild: (child: Child) => void
  /** The jobs with an orchestrator or a fiber of it alive. */
  readonly alive: () => ReadonlySet<string>
  /** Whether the work of an attempt has failed by itself, before anything else ended it. */
  readonly hasFailed: (life: Life, jobId: string, attempt: number) => boolean
  readonly fail: (life: Life, jobId: string, attempt: number) => void
  /** Whether an attempt is to be the last one, whatever it fails with. */
  readonly hasGivenUp: (life: Life, jobId: string, attempt: number) => boolean
  readonly giveUp: (life: Life, jobId: string, attempt: number) => void
  /** Whether anyone has asked for the stop of a job: of that one, of all, or of those that hold its key. */
  readonly mayStop: (job: {
    readonly id: string
    readonly key: string | null
    readonly startKey: string | null
  }) => boolean
  readonly askToStop: (which: StopRequest) => void
  /** How many events of an attempt a process has accepted. */
  readonly accepted: (life: Life, jobId: string, attempt: number) => number
  readonly accept: (life: Life, jobId: string, attempt: number) => void
  /** Whether the transaction that has started a job was rolled back. */
  readonly isRolledBack: (jobId: string) => boolean
  readonly rollBack: (jobId: string) => void
  /** Whether a caller was told that the kind is paused, and nobody has asked for the end of the pause since. */
  readonly isPaused: () => boolean
  readonly setPaused: (isPaused: boolean) => void
  /** The job and the attempt for which a process was started. */
  readonly owner: (cookie: string) => { readonly jobId: string; readonly attempt: number } | undefined
  readonly own: (cookie: string, owner: { readonly jobId: string; readonly attempt: number }) => void
}

/** What runs in a process that was killed does not count, and in a cluster what has stood still is judged later. */
export const make = (counts = (life: Life): boolean => life.isAlive()): Ledger => {
  const entered = new Map<Body, string>()
  const bodies = () => [...entered].flatMap(([body, jobId]) => (counts(body.life) ? [[jobId, body] as const] : []))
  const children = new Set<Child>()
  const failed = new Set<string>()
  const givenUp = new Set<string>()
  const stopped = new Set<string>()
  const accepted = new Map<string, number>()
  const rolledBack = new Set<string>()
  let paused = false
  const owners = new Map<string, { readonly jobId: string; readonly attempt: number }>()
  const name = (life: Life, jobId: string, attempt: number) => `${life.pid}/${jobId}/${attempt}`
  return {
    counts,
    body: (jobId) => bodies().findLast(([id]) => id === jobId)?.[1],
    bodies,
    enter: (jobId, body) => void entered.set(body, jobId),
    leave: (body) => void entered.delete(body),
    children: (jobId) => [...children].filter((child) => child.jobId === jobId && counts(child.life)).length,
    enterChild: (child) => void children.add(child),
    leaveChild: (child) => void children.delete(child),
    alive: () => {
      const forked = [...children].flatMap(({ jobId, life }) => (counts(life) ? [jobId] : []))
      return new Set([...bodies().map(([jobId]) => jobId), ...forked])
    },
    hasFailed: (life, jobId, attempt) => failed.has(name(life, jobId, attempt)),
    fail: (life, jobId, attempt) => void failed.add(name(life, jobId, attempt)),
    hasGivenUp: (life, jobId, attempt) => givenUp.has(name(life, jobId, attempt)),
    giveUp: (life, jobId, attempt) => void givenUp.add(name(life, jobId, attempt)),
    mayStop: ({ id, key, startKey }) =>
      [{ id }, { key }, { key: startKey }, {}].some((request) => stopped.has(JSON.stringify(request))),
    askToStop: (request) => void stopped.add(JSON.stringify(request)),
    accepted: (life, jobId, attempt) => accepted.get(name(life, jobId, attempt)) ?? 0,
    accept: (life, jobId, attempt) =>
      void accepted.set(name(life, jobId, attempt), (accepted.get(name(life, jobId, attempt)) ?? 0) + 1),
    isRolledBack: (jobId) => rolledBack.has(jobId),
    rollBack: (jobId) => void rolledBack.add(jobId),
    isPaused: () => paused,
    setPaused: (isPaused) => void (paused = isPaused),
    owner: (cookie) => owners.get(cookie),
    own: (cookie, owner) => void owners.set(cookie, owner)
  }
}
