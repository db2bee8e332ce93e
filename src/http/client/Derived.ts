/**
 * The common parts of the clients of a server: the connection, and the requests that are derived from the contract.
 */
import { Effect, ParseResult } from "effect"
import { UnexpectedAnswer } from "../contract/errors.js"
import * as ClientError from "./ClientError.js"
import * as Connection from "./Connection.js"
import * as EventSource from "./EventSource.js"
import type { Patience } from "./JobClientService.js"
import * as requests from "./requests.js"

export const prefix = "/api/v1"

export const make = (target: Connection.Target) =>
  Effect.gen(function* () {
    const connection = yield* Effect.mapError(Connection.make(target), (cause) =>
      ClientError.fromNode(Connection.show(target), cause)
    )
    const { address } = connection
    /** Options of `HttpApiClient.endpoint`. */
    const options = {
      httpClient: connection.client,
      transformResponse: Effect.mapError((error: unknown) =>
        ParseResult.isParseError(error)
          ? new UnexpectedAnswer({ address, problem: ClientError.firstIssue(error) })
          : error
      )
    }
    const translateErrors = ClientError.translateErrors(address)
    return {
      address,
      connection,
      options,
      requests: yield* requests.make(options, translateErrors),
      translateErrors,
      // For queries, which take milliseconds: a server that does not respond is suspended or hangs.
      withTimeout: ClientError.withTimeout(address, "30 seconds"),
      follow: (options: Patience & Pick<EventSource.FollowOptions, "path" | "query" | "after" | "isLast">) =>
        EventSource.follow({ connection, patience: "1 minute", onConnection: () => Effect.void, ...options })
    }
  })

export type Derived = Effect.Effect.Success<ReturnType<typeof make>>
