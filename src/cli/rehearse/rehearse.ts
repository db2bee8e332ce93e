/**
 * `charlotte rehearse`: decodes the records of a database with the kinds of another version of the application.
 */
import { Path } from "@effect/platform/Path"
import { Duration, Effect, Layer, Option, Ref } from "effect"
import { closeSync, existsSync, openSync, readSync } from "node:fs"
import * as DatabaseChoice from "../../daemon/config/DatabaseChoice.js"
import * as background from "../../internal/background.js"
import { JobManager } from "../../manager/JobManager.js"
import * as Database from "../../store/Database.js"
import * as Rehearsal from "../../store/Rehearsal.js"
import * as RunStore from "../../store/RunStore.js"
import * as ExitCode from "../errors/ExitCode.js"
import { copyDatabase, isNeeded } from "../offline/copyDatabase.js"
import { UsageError } from "../parser/UsageError.js"
import { CurrentDirectory } from "../start/repositoryAround.js"
import * as format from "../terminal/format.js"
import { Output, writeJson, writeLines } from "../terminal/Output.js"
import * as StyledLine from "../terminal/StyledLine.js"
import * as Child from "./Child.js"
import * as Findings from "./Findings.js"

export interface Options {
  readonly module: string
  readonly database: Option.Option<string>
  readonly strict: boolean
  readonly timeout: Option.Option<Duration.Duration>
  readonly json: boolean
}

const defaultTimeout = Duration.seconds(30)

export const rehearse = ({ database, json, module, strict, timeout }: Options) =>
  Effect.gen(function* () {
    const { resolve } = yield* Path
    const directory = yield* yield* CurrentDirectory
    if (Option.isNone(database)) {
      return yield* new UsageError({
        problem: "rehearse needs a database",
        hint: `name it: --database FILE or --database ${DatabaseChoice.example}`
      })
    }
    const isPostgres = DatabaseChoice.isPostgresUrl(database.value)
    const file = resolve(directory, database.value)
    // As it is found: it is not opened once SQLite has locks on it, which closing it would release.
    const notes = !isPostgres && isWithoutLog(file) ? [missingLog(file)] : []
    const checked = yield* Ref.make(Option.none<number>())
    if (!json) yield* background.fork(progress(module, checked))
    const child = yield* Child.make(
      resolve(directory, module),
      Option.getOrElse(timeout, () => defaultTimeout)
    )
    yield* Ref.set(checked, Option.some(0))
    const findings = Findings.make(child.kinds)
    const client = isPostgres ? Database.layerPostgres({ url: database.value }) : yield* sqlite(file)
    const steps = yield* Effect.gen(function* () {
      // Refuses a database of another version.
      yield* Layer.build(RunStore.layerUntouched)
      return yield* Rehearsal.read(JobManager.kind, (page) =>
        Effect.gen(function* () {
          findings.add(page, yield* child.verdicts(page.map(({ json, kind, name, of }) => ({ json, kind, name, of }))))
          yield* Ref.update(
            checked,
            Option.map((records) => records + page.length)
          )
        })
      )
    }).pipe(Effect.provide(client))
    const report = findings.report(steps)
    yield* json
      ? writeJson({ ...report, notes })
      : writeLines([...Findings.render(report), ...notes.map((text) => [StyledLine.raw(text, "faint")])])
    if (report.live.failing > 0 || (strict && report.unrehearsed.length > 0)) {
      return yield* new ExitCode.Quit({ code: ExitCode.failed })
    }
  }).pipe(Effect.scoped)

/** Says on standard error how far a long rehearsal is; no records are checked while the module is imported. */
const progress = (module: string, checked: Ref.Ref<Option.Option<number>>) =>
  Effect.gen(function* () {
    const { error } = yield* Output
    const text = Effect.map(
      Ref.get(checked),
      Option.match({
        onNone: () => `importing ${module} …\n`,
        onSome: (records) => `${format.count(records, "record")} checked …\n`
      })
    )
    return yield* Effect.forever(Effect.delay(Effect.flatMap(text, error), "3 seconds"))
  })

/** A client that changes no file; where SQLite would have to write beside the database, it reads a copy. */
const sqlite = (file: string) =>
  Effect.map(isNeeded(file) && existsSync(file) ? copyDatabase(file) : Effect.succeed(file), (filename) =>
    Database.layerUntouched({ filename })
  )

/** Whether the file is in WAL mode, and its log is not beside it. */
const isWithoutLog = (file: string): boolean => {
  if (!existsSync(file) || existsSync(`${file}-wal`)) return false
  const header = Buffer.alloc(20)
  const descriptor = openSync(file, "r")
  try {
    return readSync(descriptor, header, 0, 20, 0) === 20 && header[18] === 2
  } finally {
    closeSync(descriptor)
  }
}

const missingLog = (file: string): string =>
  `${file}-wal is not there: if this is a copy that was made while a manager used the database, its latest changes are missing`
