/** What Charlotte notes about the gates of a corpus: most of those that prove nothing, and none of the honest ones. */
import { describe, expect, it } from "@effect/vitest"
import { Agents } from "charlotte/tasks"
import { Effect } from "effect"
import type { TaskNote } from "../../../src/domain/Work.js"
import { isWarning, read } from "../../../src/progress/taskNotes.js"
import * as Repository from "../../support/Repository.js"
import { charlotte, repository, run } from "../Jobs.js"
import * as corpus from "./corpus.js"

/** It runs the first fenced block of its prompt. */
const agent = new Agents.Profile({
  name: "reader",
  command: ["sh", "-c", "awk '/^```/ { if (on) exit; on = 1; next } on' | sh -e"],
  prompt: "stdin",
  env: []
})

const fileOf = ({ before, gate, name, work }: corpus.Entry, at: number): readonly [name: string, text: string] => [
  `${String(at + 1).padStart(2, "0")}-${name}.md`,
  `---
task: ${at + 1}
backpressure: ${JSON.stringify(`cd ${name} && { ${gate}\n}`)}
${before === undefined ? "" : `before: ${before}\n`}---

# ${name}

\`\`\`sh
cd ${name}
${work}
\`\`\`
`
]

const isOfGate = (note: TaskNote): boolean => {
  const shown = read(note)
  return shown.tag !== undefined && isWarning(shown)
}

/** The names of the entries with notes on their gates; all of them are done. */
const noted = (entries: ReadonlyArray<corpus.Entry>) =>
  Effect.gen(function* () {
    const world = yield* Repository.sandbox
    const { config, top } = yield* repository(world, Object.fromEntries(entries.map(fileOf)))
    yield* world.shell(top, "git stash --quiet --include-untracked && git switch --quiet main")
    for (const { files, name } of entries)
      for (const [file, text] of Object.entries(files)) yield* world.write(`${top}/${name}/${file}`, text)
    yield* world.shell(top, "git add . && git commit --quiet -m projects && git switch --quiet -C mine")
    const { run: ended, work } = yield* run({ ...config, agent: "reader" }).pipe(
      Effect.provide(charlotte(world, { profiles: [agent] }))
    )
    expect(ended.error).toBeUndefined()
    return work.tasks.filter(({ notes }) => notes.some(isOfGate)).map(({ title }) => title)
  })

const names = (entries: ReadonlyArray<corpus.Entry>) => entries.map(({ name }) => name)

describe("a corpus of gates", () => {
  it.scopedLive(
    "has a note on each gate that passes whatever the work is",
    () =>
      Effect.gen(function* () {
        expect(corpus.provesNothing).toHaveLength(20)
        expect(yield* noted(corpus.provesNothing)).toEqual(names(corpus.provesNothing))
      }),
    300_000
  )

  it.scopedLive(
    "has no note on gates that see half of the work, which only a probe of the work can find",
    () =>
      Effect.gen(function* () {
        expect(corpus.seesHalf).toHaveLength(20)
        expect(yield* noted(corpus.seesHalf)).toEqual([])
      }),
    300_000
  )

  it.scopedLive(
    "has no note on honest gates: with new tests, in shell and make, of refactorings and of docs",
    () =>
      Effect.gen(function* () {
        expect(corpus.honest).toHaveLength(60)
        expect(yield* noted(corpus.honest)).toEqual([])
      }),
    300_000
  )
})
