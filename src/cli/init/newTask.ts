/**
 * `charlotte task new`: writes the next task of a unit, and the unit itself if it is new.
 */
import { Effect, Option, Schema } from "effect"
import { basename, join } from "node:path"
import * as Git from "../../git/Git.js"
import * as TaskFile from "../../tasks/plan/TaskFile.js"
import * as UnitDirectory from "../../tasks/plan/UnitDirectory.js"
import * as UnitFile from "../../tasks/plan/UnitFile.js"
import { UnitName } from "../../yaml/fields.js"
import * as TextFile from "../../yaml/TextFile.js"
import { UsageError } from "../parser/UsageError.js"
import { Output, writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as text from "../terminal/text.js"
import * as newFiles from "./newFiles.js"
import * as Project from "./Project.js"
import * as taskDirectory from "./taskDirectory.js"
import * as texts from "./texts.js"

export interface Options extends taskDirectory.Given {
  readonly unit: string
  readonly title: string
  readonly gate: Option.Option<string>
  readonly json: boolean
}

export const newTask = ({ gate: given, json, title: written, unit, ...where }: Options) =>
  Effect.gen(function* () {
    const { below, directory, git, repository, shown } = yield* taskDirectory.find(where)
    const { topLevel } = repository
    const title = yield* titleOf(written)
    const top = yield* Effect.mapError(
      UnitDirectory.top(topLevel, directory),
      ({ message }) => new UsageError({ problem: `${directory} ${message}`, hint: "make one with: charlotte init" })
    )
    const found = yield* unitOf(top, unit)
    const { gates } = yield* Project.detect(topLevel, below)
    const gate = Option.getOrElse(given, () => (gates.length === 0 ? undefined : gates.join(" && ")))
    const { name, number } = nextOf(found.entries, title)
    const file = join(found.name, name)
    yield* newFiles.create(
      topLevel,
      [
        ...(found.isNew ? [{ file: join(found.name, UnitFile.fileName), text: "" }] : []),
        { file, text: texts.task({ number, title, gate, body: "" }) }
      ],
      "move it away, or choose another name"
    )
    if (json) return yield* writeJson({ file: shown(file), unit, task: number, gate, isNewUnit: found.isNew })
    const { error, isTerminal, write } = yield* Output
    yield* write(`${text.clean(shown(file))}\n`)
    const notices = [
      ...(found.isNew ? [`unit ${unit} is new`] : []),
      ...(gate === undefined ? ["it has no gate yet: set backpressure to the command that must pass"] : [])
    ]
    if (!isTerminal)
      return yield* Effect.forEach(notices, (notice) => error(`charlotte: ${notice}\n`), { discard: true })
    const unitPath = shown(found.name)
    yield* writeLines(
      [
        ...notices,
        "write below its title what the agent has to do, then commit it:",
        `  ${git("add", "--", unitPath)} && ${git("commit", "--message", title, "--", unitPath)}`
      ].map((line) => [StyledLine.raw(line, "faint")])
    )
  }).pipe(Effect.provide(Git.layer))

const longest = 200

/** One line of visible text. */
const titleOf = (written: string) => {
  const title = text.clean(written)
  const problem =
    title === "" ? "the title is empty" : title.length > longest ? `the title has more than ${longest} characters` : ""
  return problem === ""
    ? Effect.succeed(title)
    : new UsageError({ problem, hint: 'quote it, such as: charlotte task new parser "Write the parser"' })
}

/** The directory of a unit, relative to the top level, and what is in it. */
const unitOf = (top: UnitDirectory.UnitDirectory, unit: string) =>
  Effect.gen(function* () {
    const isSingle = top.entries.some(TaskFile.isName)
    const [, below] = yield* UnitDirectory.units(top)
    const units = yield* Effect.forEach(isSingle ? [top] : below, ({ entries, name, path }) =>
      Effect.map(idOf(path, name), (id) => ({ id, name, entries, isNew: false }))
    )
    const same = units.find(({ id }) => id === unit)
    if (same !== undefined) return same
    const [only] = units
    if (isSingle && only !== undefined) {
      return yield* new UsageError({
        problem: `${top.name} has task files itself, so it is one unit, ${only.id}`,
        hint: `add the task there with: charlotte task new ${only.id} TITLE; or move its task files into a directory in it, and try again`
      })
    }
    const similar = units.find(({ id }) => id.toLowerCase() === unit.toLowerCase())
    if (similar !== undefined)
      return yield* new UsageError({
        problem: `there is a unit ${similar.id}`,
        hint: `use that name, or another than ${unit}`
      })
    if (!Schema.is(UnitName)(unit)) {
      return yield* new UsageError({
        problem: `"${text.clean(unit)}" cannot be the name of a unit`,
        hint: "use at most 100 letters, digits, '.', '_' and '-', and begin with a letter or a digit"
      })
    }
    return { id: unit, name: join(top.name, unit), entries: [], isNew: true }
  })

const idOf = (path: string, name: string) =>
  Effect.match(TextFile.read(join(path, UnitFile.fileName), name), {
    onFailure: () => basename(path),
    onSuccess: ({ text }) => UnitFile.parse(name, basename(path), text).id
  })

/** The next free number of a unit; gaps stay, since other tasks may mean them. */
const nextOf = (entries: ReadonlyArray<string>, title: string) => {
  const digits = entries.filter(TaskFile.isName).map((name) => name.slice(0, name.indexOf("-")))
  const number = Math.max(0, ...digits.map(Number)) + 1
  const width = Math.max(2, ...digits.map(({ length }) => length))
  return { number, name: `${String(number).padStart(width, "0")}-${texts.slug(title)}.md` }
}
