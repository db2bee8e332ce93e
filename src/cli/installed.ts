#!/usr/bin/env node
/**
 * The command `charlotte`, as it is installed: all of its code is in one file beside this one, and what V8 has made of it, in
 * others, so that hardly anything has to be compiled before it begins.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"
import { Script } from "node:vm"
import { refusal } from "./Platform.js"
import { isList } from "./Quick.js"

/** As Node does it for a module of CommonJS, with where it is, too. */
type Wrapped = (module: { exports: { start?: () => void } }, require: NodeJS.Require, url: string) => void

const read = (file: string): Buffer | undefined => {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

const load = (file: string, part: Part) => {
  // There is nothing but ASCII in it, which is read faster as what it is.
  const source = readFileSync(file, "latin1")
  // Of another version of V8 it is passed over.
  const cachedData = read(`${file}.${part}`)
  const script = new Script(source, { filename: file, ...(cachedData !== undefined && { cachedData }) })
  const wrapped: Wrapped = script.runInThisContext()
  const loaded: Parameters<Wrapped>[0] = { exports: {} }
  wrapped(loaded, createRequire(file), pathToFileURL(file).href)
  return loaded.exports
}

/** Each of these runs other code: the daemon, those that work on jobs themselves, the list of jobs, and all that talk to who does. */
type Part = "daemon" | "manager" | "list" | "client"

const partOf = (words: ReadonlyArray<string>): Part => {
  if (words.includes("--foreground")) return "daemon"
  if (["run", "resume", "retry"].includes(words[0] ?? "")) return "manager"
  return isList(words) ? "list" : "client"
}

if (refusal()) process.exitCode = 2
else load(`${import.meta.dirname}/charlotte.cjs`, partOf(process.argv.slice(2))).start?.()
