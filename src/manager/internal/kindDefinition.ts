/**
 * Checks the definition of a kind of job. An invalid definition is a programming error, so the check throws.
 */
import { Schema } from "effect"

const kindName = /^[a-z][a-z0-9-]{0,62}$/
const signalName = /^(?!charlotte\.)[A-Za-z0-9._-]{1,64}$/
const kindVersion = /^[A-Za-z0-9._+-]{1,64}$/

export const check = (
  definition: {
    readonly kind: string
    readonly events?: object | undefined
    readonly signals?: object | undefined
    readonly version?: string | undefined
  },
  unknownOptions: ReadonlyArray<string>
): void => {
  const { events = {}, kind, signals = {}, version } = definition
  if (!kindName.test(kind)) {
    throw new Error(
      `the name of a kind of job is a lower-case letter and up to 62 further ones, digits and hyphens, not "${kind}"`
    )
  }
  if (unknownOptions.length > 0)
    throw new Error(`the definition of kind ${kind} has no option ${unknownOptions.join(", ")}`)
  const reserved = Object.keys(events).find((type) => type === "" || type.startsWith("job."))
  if (reserved !== undefined) {
    throw new Error(`kind ${kind}: event types that begin with job. are reserved for the manager, so not "${reserved}"`)
  }
  if (version !== undefined && !kindVersion.test(version)) {
    throw new Error(
      `kind ${kind}: a version is 1 to 64 letters, digits, dots, hyphens, underscores and plus signs, not "${version}"`
    )
  }
  const unfit = Object.keys(signals).find((name) => !signalName.test(name))
  if (unfit !== undefined) {
    throw new Error(
      `kind ${kind}: the name of a signal is 1 to 64 letters, digits, dots, hyphens and underscores, and does not begin with charlotte., so not "${unfit}"`
    )
  }
}

/** The schema, or the schema of any JSON if it was left out. */
export const orUnknown = <S extends Schema.Schema.All>(schema: S | undefined): S =>
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: S is `Unknown` where it was left out
  schema ?? (Schema.Unknown as Schema.Schema.All as S)
