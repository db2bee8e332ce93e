/**
 * Redacts known secrets in everything that an orchestrator records. The submitted data of a job is stored unchanged: it belongs to
 * the user, and the job runs from it.
 */
import { Effect, Option, Schema } from "effect"
import { parse, stringify } from "../../internal/Json.js"
import type { Redaction } from "../../internal/Redaction.js"
import { AgentLimit } from "../../domain/AgentLimit.js"
import { TurnStreak } from "../../domain/TurnStreak.js"
import { approvalSignal, Parked, Progress, RunError } from "../../domain/Run.js"
import { Question } from "../../domain/Question.js"
import { withError } from "../../domain/runError.js"
import { TaskNote, TaskRecord, UnitRecord, Work } from "../../domain/Work.js"
import type { AcceptedEvent, Change, NewRun, NewSignal, Service } from "../port/RunStoreService.js"

const notesOfTask = Schema.parseJson(Schema.Array(TaskNote))
const Notes = { decode: Schema.decodeSync(notesOfTask), encode: Schema.encodeSync(notesOfTask) }

/** The payload of a rejection. */
const Rejection = Schema.parseJson(
  Schema.Struct({ because: Schema.String }, Schema.Record({ key: Schema.String, value: Schema.Unknown }))
)
const decodeRejection = Schema.decodeUnknownOption(Rejection)
const encodeRejection = Schema.encodeSync(Rejection)

export const make = (store: Service, { json, text }: Redaction): Service => {
  const value = (value: unknown): unknown => (value === undefined ? undefined : parse(json(stringify(value))))

  const event = (event: AcceptedEvent): AcceptedEvent =>
    event.payload === undefined ? event : { ...event, payload: json(event.payload) }

  const error = ({ cause, error, kind }: RunError): RunError =>
    new RunError({ kind, error: value(error), cause: text(cause) }, { disableValidation: true })

  const parked = (parked: Parked, error: RunError | undefined): Parked =>
    withError(new Parked({ ...parked, reason: text(parked.reason) }), error)

  const change = (change: Change): Change => {
    const redacted = change.error && error(change.error)
    return {
      ...change,
      ...(change.result === undefined ? {} : { result: value(change.result) }),
      ...(redacted === undefined ? {} : { error: redacted }),
      ...(change.parked === undefined ? {} : { parked: parked(change.parked, redacted) })
    }
  }

  const reason = ({ reason, said }: { readonly reason?: string | undefined; readonly said?: string | undefined }) => ({
    ...(reason === undefined ? {} : { reason: text(reason) }),
    ...(said === undefined ? {} : { said: text(said) })
  })

  const notes = (notes: ReadonlyArray<TaskNote>) => Notes.decode(json(Notes.encode(notes)))

  const unit = (unit: UnitRecord) => new UnitRecord({ ...unit, ...reason(unit) }, { disableValidation: true })

  const task = (task: TaskRecord) =>
    new TaskRecord(
      { ...task, ...reason(task), title: text(task.title), notes: notes(task.notes) },
      { disableValidation: true }
    )

  /** The reason of a rejection is redacted; the payload of any other signal is data that the job reads. */
  const signal = <S extends Pick<NewSignal, "name" | "payload">>(signal: S): S =>
    signal.name !== approvalSignal
      ? signal
      : Option.match(decodeRejection(signal.payload), {
          onNone: () => signal,
          onSome: (rejection) => ({
            ...signal,
            payload: encodeRejection({ ...rejection, because: text(rejection.because) })
          })
        })

  /** Redacts the searchable text of a run, too; the run itself uses the submitted data. */
  const submitted = <R extends Omit<NewRun, "id">>(run: R): R => {
    const searched = run.searched ?? stringify({ labels: run.labels, config: run.config })
    const redacted = json(searched)
    return redacted === searched ? run : { ...run, searched: redacted }
  }

  return {
    ...store,
    create: (run) => store.create(submitted(run)),
    cluster: {
      ...store.cluster,
      admit: (run, placement, taker) => store.cluster.admit(submitted(run), placement, taker),
      refuse: (version, refusals) =>
        store.cluster.refuse(
          version,
          refusals.map(({ jobId, reason }) => ({ jobId, reason: text(reason) }))
        )
    },
    producers: {
      ...store.producers,
      submit: (run) => store.producers.submit(submitted(run)),
      requestSignal: (requested) => store.producers.requestSignal(signal(requested))
    },
    schedules: {
      ...store.schedules,
      tick: ({ run, ...tick }) =>
        store.schedules.tick({ ...tick, run: typeof run === "string" ? text(run) : submitted(run) })
    },
    subscribers: {
      ...store.subscribers,
      failed: (failure) => store.subscribers.failed({ ...failure, error: text(failure.error) })
    },
    signal: (received) => store.signal(signal(received)),
    outbox: { ...store.outbox, insert: (run) => store.outbox.insert(submitted(run)) },
    childProcesses: {
      ...store.childProcesses,
      close: ({ tail, ...closed }) =>
        store.childProcesses.close({ ...closed, ...(tail !== undefined && { tail: text(tail) }) })
    },
    append: (emitted) => store.append({ ...emitted, events: emitted.events.map(event) }),
    progress: ({ progress, ...by }) =>
      store.progress({
        ...by,
        progress:
          progress.text === undefined
            ? progress
            : new Progress({ ...progress, text: text(progress.text) }, { disableValidation: true })
      }),
    record: (changed) => store.record(change(changed)),
    asRecorded: change,
    work: {
      ...store.work,
      plan: ({ work: { tasks, units }, ...by }) => {
        const work = new Work({ units: units.map(unit), tasks: tasks.map(task) }, { disableValidation: true })
        return store.work.plan({ ...by, work })
      },
      add: (added) => store.work.add({ ...added, task: task(added.task) }),
      unit: (changed) => store.work.unit({ ...changed, unit: unit(changed.unit) }),
      task: (changed) => store.work.task({ ...changed, task: task(changed.task) })
    },
    // A later attempt reads its steps as they are; people see them redacted.
    steps: {
      ...store.steps,
      get: (query) =>
        Effect.map(
          store.steps.get(query),
          Option.map(({ step, value }) => ({ step, value: value === undefined ? undefined : json(value) }))
        )
    },
    children: {
      ...store.children,
      start: ({ run, ...child }) => store.children.start({ ...child, run: submitted(run) })
    },
    agentLimits: {
      ...store.agentLimits,
      record: (reached) => {
        const { limit } = reached
        const redacted = new AgentLimit({ ...limit, reason: text(limit.reason) }, { disableValidation: true })
        return store.agentLimits.record({ ...reached, limit: redacted })
      },
      recordStreak: (ended) => {
        const { streak } = ended
        const redacted = new TurnStreak({ ...streak, reason: text(streak.reason) }, { disableValidation: true })
        return store.agentLimits.recordStreak({ ...ended, streak: redacted })
      }
    },
    questions: {
      ...store.questions,
      record: ({ questions, ...by }) =>
        store.questions.record({
          ...by,
          questions: questions.map(
            (asked) => new Question({ ...asked, question: text(asked.question) }, { disableValidation: true })
          )
        }),
      answer: (answer) => store.questions.answer({ ...answer, text: text(answer.text) })
    }
  }
}
