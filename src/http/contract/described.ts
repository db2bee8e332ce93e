import * as OpenApi from "@effect/platform/OpenApi"

/** What the OpenAPI document says of an endpoint. */
export const described = (summary: string, description?: string) => OpenApi.annotations({ summary, description })
