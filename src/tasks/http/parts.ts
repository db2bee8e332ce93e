/**
 * The parts of a server that depend on its jobs; loaded with its application.
 */
import type * as HttpApi from "@effect/platform/HttpApi"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { serverApi } from "../../http/contract/Api.js"
import { Api } from "./Api.js"

export { layer as extension } from "./extension.js"

/** Whether a schema is Charlotte's own, whose fields `fieldDocs` describes. */
const isOurs = (schema: string): boolean => Object.hasOwn(OpenApi.fromApi(Api).components.schemas, schema)

export const apiOf = <Groups extends HttpApiGroup.HttpApiGroup.Any, E>(
  jobs: HttpApi.HttpApi<"charlotte", Groups, E> | undefined
): HttpApi.HttpApi.Any => (jobs === undefined ? Api : serverApi(jobs, isOurs))
