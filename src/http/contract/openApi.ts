/**
 * The OpenAPI document, with a description and an example of each field.
 */
import { fieldDocs } from "./fieldDocs.js"

type Json = { readonly [name: string]: unknown }

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** An example that is valid for the schema of the field. */
const exampleOf = (schema: string, field: Json, example: unknown): unknown => {
  const permitted = field["enum"]
  if (Array.isArray(permitted)) return permitted.includes(example) ? example : permitted[0]
  return isJson(field["properties"])
    ? mapValues(field["properties"], (inner, name) => fieldDoc(schema, name, inner).examples?.[0])
    : example
}

const fieldDoc = (
  schema: string,
  name: string,
  field: unknown
): { readonly description?: string; readonly examples?: ReadonlyArray<unknown> } => {
  const found = fieldDocs[`${schema}.${name}`] ?? fieldDocs[name]
  if (found === undefined) return {}
  const [description, example] = found
  return { description, examples: [isJson(field) ? exampleOf(schema, field, example) : example] }
}

/** A description beside `$ref` is allowed in OpenAPI 3.1. */
const describeFields = (schema: string, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item) => describeFields(schema, item))
  if (!isJson(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "properties" && isJson(inner)
        ? Object.fromEntries(
            Object.entries(inner).map(([name, field]) => [
              name,
              { ...mapValues(describeFields(schema, field), (value) => value), ...fieldDoc(schema, name, field) }
            ])
          )
        : describeFields(schema, inner)
    ])
  )
}

const describeParameter = (parameter: unknown): unknown => {
  if (!isJson(parameter)) return parameter
  const { description, examples } = fieldDoc("", String(parameter["name"]), parameter["schema"])
  return description === undefined ? parameter : { ...parameter, description, example: examples?.[0] }
}

const namesIn = (value: unknown): ReadonlyArray<string> =>
  [...JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].flatMap(([, name]) => name ?? [])

/** Describes a response by the names of its schemas; the default is "Error". */
const describeResponse = (response: unknown): unknown => {
  const names = isJson(response) ? namesIn(response["content"]) : []
  return isJson(response) && names.length > 0 ? { ...response, description: names.join(", ") } : response
}

const mapValues = (value: unknown, f: (inner: unknown, key: string) => unknown): Json =>
  isJson(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, f(inner, key)])) : {}

const describeOperation = (operation: unknown, isOurs: boolean): unknown =>
  isJson(operation)
    ? {
        ...operation,
        parameters: Array.isArray(operation["parameters"]) ? operation["parameters"].map(describeParameter) : [],
        ...(operation["requestBody"] === undefined || !isOurs
          ? {}
          : { requestBody: describeFields("JobConfig", operation["requestBody"]) }),
        responses: mapValues(operation["responses"], describeResponse)
      }
    : operation

/** Schema classes are named `charlotte/…`. */
const withoutPrefix = (document: Json): Json => {
  const text = JSON.stringify(document).replaceAll("#/components/schemas/charlotte~1", "#/components/schemas/")
  const renamed: Json = JSON.parse(text)
  const components = isJson(renamed["components"]) ? renamed["components"] : {}
  const schemas = Object.entries(isJson(components["schemas"]) ? components["schemas"] : {})
  return {
    ...renamed,
    components: {
      ...components,
      schemas: Object.fromEntries(schemas.map(([name, schema]) => [name.replace(/^charlotte\//, ""), schema]))
    }
  }
}

/**
 * Adds a description and an example to each field of the document, except in the schemas of applications, where the same name has
 * another meaning.
 */
export const describe = (document: Json, isOurs: (schema: string) => boolean): Json => {
  const named = withoutPrefix(document)
  const components = isJson(named["components"]) ? named["components"] : {}
  return {
    ...named,
    paths: mapValues(named["paths"], (item, path) =>
      mapValues(item, (operation) => describeOperation(operation, !path.includes("/kinds/")))
    ),
    components: {
      ...components,
      schemas: mapValues(components["schemas"], (schema, name) =>
        isOurs(name) ? describeFields(name, schema) : schema
      )
    }
  }
}
