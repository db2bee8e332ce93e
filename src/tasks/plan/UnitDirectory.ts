/**
 * Finds the unit directories of a plan without opening files or leaving the repository.
 */
import type { PlatformError } from "@effect/platform/Error"
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Array, Effect, Option } from "effect"
import * as race from "../../internal/race.js"
import { Diagnostic } from "../../yaml/Diagnostic.js"
import * as TaskFile from "./TaskFile.js"
import * as TextFile from "../../yaml/TextFile.js"
import * as UnitFile from "./UnitFile.js"

/** A directory and its entries. */
export interface UnitDirectory {
  readonly path: string
  /** Relative to the repository; `.` for the repository itself. */
  readonly name: string
  /** Sorted. */
  readonly entries: ReadonlyArray<string>
}

/** The tasks directory. Symbolic links in its path are resolved here, once. */
export const top = (
  repository: string,
  tasksDir: string
): Effect.Effect<UnitDirectory, Diagnostic, FileSystem | Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const root = yield* fs.realPath(repository)
    const real = yield* fs.realPath(path.resolve(root, tasksDir))
    const name = path.relative(root, real)
    const steps = name.split(path.sep)
    const fail = (message: string) => Effect.fail(new Diagnostic({ file: tasksDir, message }))
    if (steps[0] === ".." || path.isAbsolute(name)) {
      return yield* fail(`is outside the repository ${root}: specify a directory inside it`)
    }
    if (steps.includes(".git")) return yield* fail("is inside .git: specify another directory")
    if ((yield* fs.stat(real)).type !== "Directory")
      return yield* fail("is not a directory: specify one that contains tasks")
    return yield* list(real, name === "" ? "." : name)
  }).pipe(
    Effect.mapError((error) => {
      if (error instanceof Diagnostic) return error
      if (!isMissing(error)) return TextFile.unreadable(tasksDir, error)
      return new Diagnostic({ file: tasksDir, message: "does not exist: create it, or specify another directory" })
    })
  )

/** The subdirectories that are units, and problems with unreadable ones. */
export const units = (
  parent: UnitDirectory
): Effect.Effect<[ReadonlyArray<Diagnostic>, ReadonlyArray<UnitDirectory>], never, FileSystem | Path> =>
  Effect.map(
    race.map(
      parent.entries.filter((entry) => !entry.startsWith(".") && !TaskFile.isName(entry)),
      16,
      (entry) => Effect.either(unit(parent, entry))
    ),
    (found) => {
      const [problems, units] = Array.separate(found)
      return [problems, units.flatMap(Option.toArray)]
    }
  )

const unit = (
  parent: UnitDirectory,
  entry: string
): Effect.Effect<Option.Option<UnitDirectory>, Diagnostic, FileSystem | Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const target = path.join(parent.path, entry)
    const name = path.join(parent.name, entry)
    const { kind } = yield* TextFile.inspect(target).pipe(Effect.mapError((error) => TextFile.unreadable(name, error)))
    if (kind === "a directory") return Option.filter(Option.some(yield* list(target, name)), isUnit)
    if (kind !== "a symbolic link") return Option.none()
    // A dangling link, or a link to something other than a unit, is ignored.
    const linked = yield* Effect.option(
      Effect.filterOrFail(fs.stat(target), ({ type }) => type === "Directory").pipe(Effect.zipRight(list(target, name)))
    )
    if (Option.isNone(linked) || !isUnit(linked.value)) return Option.none()
    const message = "is a symbolic link to a unit: replace it with the directory itself"
    return yield* Effect.fail(new Diagnostic({ file: name, message }))
  })

const isUnit = ({ entries }: UnitDirectory): boolean =>
  entries.some((entry) => entry === UnitFile.fileName || TaskFile.isName(entry))

const list = (path: string, name: string): Effect.Effect<UnitDirectory, Diagnostic, FileSystem> =>
  Effect.flatMap(FileSystem, (fs) => fs.readDirectory(path)).pipe(
    Effect.map((entries) => ({ path, name, entries: entries.sort() })),
    Effect.mapError((error) => TextFile.unreadable(name, error))
  )

const isMissing = (error: PlatformError): boolean => error._tag === "SystemError" && error.reason === "NotFound"
