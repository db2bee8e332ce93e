/**
 * The error of a command that only its user has to understand: what happened, what to do, and the exit code. An error that code tells
 * apart from others, or that belongs to the library or the HTTP API, has a class of its own.
 */
import { Data } from "effect"

export class Problem extends Data.TaggedError("Problem")<{
  /** The `_tag` in JSON output. */
  readonly name: string
  /** What happened: a sentence without its full stop. */
  readonly problem: string
  /** What to do, unless `problem` says so. */
  readonly hint?: string
  /** By default 2: the command line, or what it refers to, is invalid. */
  readonly exitCode?: number
  /** The other fields in JSON output; by default `problem` and `hint`. */
  readonly details?: object
}> {
  override get message() {
    return this.hint === undefined ? this.problem : `${this.problem}; ${this.hint}`
  }

  get json(): object {
    const { details = { problem: this.problem, hint: this.hint }, message, name } = this
    return { _tag: name, message, ...details }
  }
}
