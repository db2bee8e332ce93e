/**
 * Handles endpoints of a group by the functions of their names.
 */
import type { Handlers } from "@effect/platform/HttpApiBuilder"
import type { HttpApiEndpoint } from "@effect/platform/HttpApiEndpoint"
import type { Scope } from "effect"

export const handleEach = <
  E,
  Provides,
  R,
  Endpoints extends HttpApiEndpoint.Any,
  Name extends HttpApiEndpoint.Name<Endpoints>
>(
  handlers: Handlers<E, Provides, R, Endpoints>,
  each: { readonly [N in Name]: HttpApiEndpoint.HandlerWithName<Endpoints, N, E, Scope.Scope> }
): Handlers<E, Provides, R, HttpApiEndpoint.ExcludeName<Endpoints, Name>> => {
  const handle = (handled: typeof handlers, [name, handler]: [string, unknown]) =>
    // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: `each` has a handler of the right type for each name
    handled.handle(name as Name, handler as never) as unknown as typeof handlers
  // oxlint-disable-next-line typescript/consistent-type-assertions -- variance seam: these are handled
  return Object.entries(each).reduce(handle, handlers) as never
}
