/**
 * Notes on tasks in words. What was done to the checks comes first, and then what else is known about conflicts and gates: it says how much
 * "done" means.
 */
import { few } from "../internal/plainText.js"
import type { GateNote } from "../domain/Work.js"
import * as format from "./format.js"
import { Fields, string } from "./payload.js"

type Tag = GateNote["_tag"]

export interface Note {
  /** Missing for a remark. */
  readonly tag: Tag | undefined
  readonly text: string
}

const named = (files: ReadonlyArray<string>): string => few(files, 3)

const texts: { readonly [T in Tag]: (note: Fields<Extract<GateNote, { readonly _tag: T }>>) => string } = {
  resolved: (note) => `conflict in ${named(note.strings("files"))} resolved by ${note.text("by")}`,
  greenBefore: () => "the gate passed before any work",
  unknownBefore: (note) => `whether the gate passes before any work is unknown: it ${note.text("reason")}`,
  couldNotRunBefore: (note) => `the gate could not run before any work: ${note.text("reason")}`,
  flaky: (note) =>
    `the gate is flaky: it gave two answers on the same files; see ${note.strings("logs").join(" and ")}`,
  checkChanged: (note) => {
    const files = note.list("files").map((file) => {
      return `${format.count(file.number("removed") ?? 0, "line")} of ${file.text("path")} removed`
    })
    return `what the gate runs was changed: ${named(files)}`
  },
  testsAdded: (note) => `tests added: ${named(note.strings("files"))}`,
  protected: (note) =>
    `protected files were changed, and put back for the gate: ${named(note.strings("files"))}; the changes: ${note.text("patch")}`,
  refsMoved: (note) => `the ${note.text("by")} ${note.text("what")}: ${note.text("advice")}`
}

/**
 * The same about several tasks of a job, such as `9 of 12 tasks`, in the order in which notes are shown; nothing about what needs no
 * attention.
 */
const ofTasks: { readonly [T in Tag]: ((tasks: string) => string) | undefined } = {
  checkChanged: (tasks) => `what the gates of ${tasks} run was changed by the work`,
  protected: (tasks) => `the work on ${tasks} changed protected files, which were put back for the gates`,
  refsMoved: (tasks) => `refs of yours were made, moved or deleted by commands of ${tasks}`,
  resolved: (tasks) => `conflicts were resolved by agents, at ${tasks}`,
  greenBefore: (tasks) => `gates of ${tasks} passed before any work`,
  couldNotRunBefore: (tasks) => `gates of ${tasks} could not run before any work`,
  unknownBefore: (tasks) => `gates of ${tasks} took too long before any work to know whether they pass`,
  flaky: (tasks) => `gates of ${tasks} are flaky: they gave two answers on the same files`,
  testsAdded: undefined
}

const isTag = (tag: string | undefined): tag is Tag => tag !== undefined && Object.hasOwn(texts, tag)

const textOf = <T extends Tag>(tag: T, note: unknown): string => texts[tag](new Fields(note))

/** Whether the note is more than information. */
export const isWarning = ({ tag }: Note): boolean => tag === undefined || ofTasks[tag] !== undefined

/** A note as it is recorded, which may be any JSON in an event. */
export const read = (note: unknown): Note => {
  const tag = string(note, "_tag")
  if (isTag(tag)) return { tag, text: textOf(tag, note) }
  return { tag: undefined, text: typeof note === "string" ? note : "" }
}

/** What was done to the checks first, and remarks last. */
export const inOrder = (notes: ReadonlyArray<Note>): Array<Note> => [
  ...Object.keys(ofTasks).flatMap((tag) => notes.filter((note) => note.tag === tag)),
  ...notes.filter(({ tag }) => tag === undefined)
]

interface Noted {
  readonly unit: string
  readonly number: number
  readonly state: string
  readonly notes: ReadonlyArray<Note>
}

/** Tasks as they are recorded. */
export const ofRecords = (
  tasks: ReadonlyArray<{
    readonly unit: string
    readonly task: number
    readonly state: string
    readonly notes: ReadonlyArray<unknown>
  }>
): ReadonlyArray<Noted> =>
  tasks.map(({ notes, state, task, unit }) => ({ unit, number: task, state, notes: inOrder(notes.map(read)) }))

/** What is known about the gates of a job: one line for each kind of note, with its place if it is about one task. */
export interface Line {
  readonly unit?: string
  readonly task?: number
  readonly text: string
}

export const ofJob = (tasks: ReadonlyArray<Noted>): ReadonlyArray<Line> => {
  const all = tasks.filter(({ state }) => state !== "skipped").length
  return Object.entries(ofTasks).flatMap(([tag, text]): ReadonlyArray<Line> => {
    const about = tasks.filter(({ notes }) => notes.some((note) => note.tag === tag))
    const [first] = about
    if (text === undefined || first === undefined) return []
    if (about.length > 1) return [{ text: text(`${about.length} of ${format.count(all, "task")}`) }]
    const { notes, number, unit } = first
    return notes.filter((note) => note.tag === tag).map((note) => ({ unit, task: number, text: note.text }))
  })
}
