/**
 * Puts a check in front of the two modules that make all events, those of the manager and those of tasks: each event that a test
 * writes, by whatever store and manager, has to match the schema of its type.
 */
import { basename, dirname, join } from "node:path"

const here = import.meta.dirname

const makers = /\/(RunTransition|emitTaskEvent)\.js$/

export const checkedEvents = {
  name: "checked-events",
  enforce: "pre",
  resolveId: (source: string, importer: string | undefined) =>
    makers.test(source) && importer !== undefined && dirname(importer) !== here
      ? join(here, basename(source).replace(/js$/, "ts"))
      : undefined
} as const
