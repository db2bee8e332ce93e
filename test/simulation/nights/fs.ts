/**
 * Stands in for `src/git/fs.ts` in the bundle of the simulation, on the files of the current night.
 */
import { Effect, Option } from "effect"
import type * as fs from "../../../src/git/fs.js"
import * as Files from "./Files.js"

let files = Files.make()

export const use = (ofNight: Files.Files): void => {
  files = ofNight
}

export const fileOf = (path: string): string | undefined => files.read(path)

const standIn: Pick<typeof fs, "list" | "read" | "remove" | "replaceFlushed"> = {
  list: (path) => Effect.sync(() => files.list(path)),
  read: (path) => Effect.sync(() => Option.map(Option.fromNullable(files.read(path)), (text) => Buffer.from(text))),
  remove: (path) => Effect.sync(() => files.remove(path)),
  replaceFlushed: (path, content) => Effect.sync(() => files.write(path, String(content)))
}

export const { list, read, remove, replaceFlushed } = standIn
