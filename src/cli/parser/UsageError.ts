/** A command line that cannot be understood. */
import { Problem } from "../../daemon/Problem.js"

export class UsageError extends Problem {
  constructor(input: { readonly problem: string; readonly hint: string }) {
    super({ name: "UsageError", ...input })
  }
}
