/**
 * The changes of a job.
 */
import { Schema } from "effect"

/**
 * A file that differs.
 *
 * @since 0.2.0
 * @category models
 */
export class DiffFile extends Schema.Class<DiffFile>("charlotte/DiffFile")({
  path: Schema.String,
  /** The former path of a renamed file. */
  oldPath: Schema.optional(Schema.String),
  /** `typeChanged`: a file became a symbolic link, say. */
  status: Schema.Literal("added", "modified", "deleted", "renamed", "typeChanged"),
  /** The former mode in git's notation, such as `100644`; missing for an added file. */
  oldMode: Schema.optional(Schema.String),
  /** Missing for a deleted file. */
  mode: Schema.optional(Schema.String),
  /** In lines; 0 for a binary file, and for one that is too large to compare. */
  additions: Schema.NonNegativeInt,
  deletions: Schema.NonNegativeInt,
  binary: Schema.Boolean,
  /** The patch is omitted: it is larger than 1 MiB, or the file is larger than 8 MiB. */
  tooLarge: Schema.optional(Schema.Literal(true)),
  /**
   * The hunks of a unified diff, each with its `@@` line, without a header and without a trailing line break; empty if no line
   * differs. Missing if the file is binary or too large.
   */
  patch: Schema.optional(Schema.String)
}) {}

/**
 * A page of the files that differ between two commits, in the order of their paths.
 *
 * @since 0.2.0
 * @category models
 */
export class Diff extends Schema.Class<Diff>("charlotte/Diff")({
  /** The commit at which the job, or the unit, started. */
  base: Schema.String,
  /** The last commit of its work. */
  head: Schema.String,
  files: Schema.Array(DiffFile),
  /** The value of `after` for the next page, which is about the same two commits; missing on the last page. */
  next: Schema.optional(Schema.String)
}) {}
