/**
 * Stands in for `src/process/OutputReader.ts` in the bundle of the simulation, on the files of the current night.
 */
import { Effect } from "effect"
import type * as OutputReader from "../../../src/process/OutputReader.js"
import { fileOf } from "./fs.js"

const standIn: Pick<typeof OutputReader, "find" | "next"> = {
  find: (path) => Effect.succeed({ path, tail: [] }),
  next: ({ path }, { at }) =>
    Effect.sync(() => {
      const bytes = Buffer.from(fileOf(path) ?? "").subarray(at)
      return bytes.length === 0 ? undefined : { bytes, position: { at: at + bytes.length, head: undefined } }
    })
}

export const { find, next } = standIn
