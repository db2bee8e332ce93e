/**
 * `charlotte jobs`: the jobs there are, newest first.
 */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { RunStatus } from "../../domain/RunStatus.js"
import { list } from "../listJobs.js"
import { about, json, labels, number } from "./parameters.js"

const status = Options.choice("status", RunStatus.literals).pipe(
  Options.optional,
  Options.withDescription("Only jobs of this status.")
)

const limit = number("limit", "As many as are shown at the most; else 20.")

const before = Options.text("before").pipe(
  Options.withPseudoName("JOB"),
  Options.optional,
  Options.withDescription("Only jobs older than this one: the next page.")
)

export const jobs = Command.make("jobs", { status, labels, limit, before, json }, list).pipe(
  Command.withDescription(
    about("Lists the jobs, newest first.", "charlotte jobs --status running --label team=web --limit 50")
  )
)
