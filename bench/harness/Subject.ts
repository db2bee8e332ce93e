/**
 * The interface between the harness and a measured script: parameters in, figures out.
 */

export type Parameters = { readonly [name: string]: string | number | boolean }
export type Figures = { readonly [name: string]: number }

const given: unknown = JSON.parse(process.argv[2] ?? "{}")

const parameter = (name: string): unknown =>
  typeof given === "object" && given !== null ? Reflect.get(given, name) : undefined

export const number = (name: string): number => {
  const value = parameter(name)
  if (typeof value !== "number") throw new Error(`the parameter ${name} is a number`)
  return value
}

export const text = (name: string): string => {
  const value = parameter(name)
  if (typeof value !== "string") throw new Error(`the parameter ${name} is a text`)
  return value
}

/** Prints the figures as the last line of the output, which the harness reads. */
export const report = (figures: Figures): void => {
  process.stdout.write(`\n${JSON.stringify(figures)}\n`)
}

/** Measures wall-clock and CPU time from now until it is called with the number of items. */
export const stopwatch = (): ((count: number) => Figures) => {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  return (count) => {
    const elapsed = performance.now() - begun
    const { system, user } = process.cpuUsage(cpu)
    return { count, millis: elapsed, perSecond: (count / elapsed) * 1_000, cpuMicros: (system + user) / count }
  }
}
