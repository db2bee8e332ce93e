/**
 * The OpenAPI document, with a description and an example of each field.
 */
import { docOf } from "./fieldDocs.js"

type Json = { readonly [name: string]: unknown }

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const json = (value: unknown): Json => (isJson(value) ? value : {})

const mapValues = (value: unknown, f: (inner: unknown, key: string) => unknown): Json =>
  Object.fromEntries(Object.entries(json(value)).map(([key, inner]) => [key, f(inner, key)]))

/** An example that is valid for the schema of the field. */
const exampleOf = (owner: string, field: Json, example: unknown): unknown => {
  const { enum: permitted, properties } = field
  if (Array.isArray(permitted)) return permitted.includes(example) ? example : permitted[0]
  return isJson(properties) && Object.keys(properties).length > 0
    ? mapValues(properties, (inner, name) => exampleOf(owner, json(inner), docOf(owner, name)?.example))
    : example
}

const fieldDoc = ([owner = "", ...others]: ReadonlyArray<string>, name: string, field: unknown): Json => {
  const [found] = [owner, ...others].flatMap((owner) => docOf(owner, name) ?? [])
  return found === undefined
    ? {}
    : { description: found.description, examples: [exampleOf(owner, json(field), found.example)] }
}

/**
 * Describes the fields of a schema, which are its own or those of its other owners, and the fields within, which are its own. A
 * description beside `$ref` is allowed in OpenAPI 3.1.
 */
const describeFields = (owners: ReadonlyArray<string>, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item) => describeFields(owners, item))
  if (!isJson(value)) return value
  return mapValues(value, (inner, key) => {
    if (key !== "properties" || !isJson(inner)) return describeFields(owners, inner)
    const all = "_tag" in inner ? [...owners, "Tagged"] : owners
    return mapValues(inner, (field, name) => ({
      ...json(describeFields(owners.slice(0, 1), field)),
      ...fieldDoc(all, name, field)
    }))
  })
}

const namesIn = (value: unknown): ReadonlyArray<string> =>
  [...JSON.stringify(value ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].flatMap(([, name]) => name ?? [])

/** Describes a response by the names of its schemas; the default is "Error". */
const describeResponse = (response: unknown): unknown => {
  const names = isJson(response) ? namesIn(response["content"]) : []
  return isJson(response) && names.length > 0 ? { ...response, description: names.join(", ") } : response
}

const describeOperation = (operation: unknown): unknown => {
  if (!isJson(operation)) return operation
  const { operationId, parameters, requestBody, responses } = operation
  const name = String(operationId).replace(/^charlotte\w+\./, "")
  return {
    ...operation,
    parameters: (Array.isArray(parameters) ? parameters : []).map((parameter) => ({
      ...parameter,
      ...docOf(name, String(json(parameter)["name"]))
    })),
    ...(requestBody === undefined ? {} : { requestBody: describeFields([name], requestBody) }),
    responses: mapValues(responses, describeResponse)
  }
}

/** An event has the fields of `JobEvent`, and its payload has those that are named with its type. */
const ownersOf = (schema: string): ReadonlyArray<string> =>
  schema.startsWith("JobEvent.") ? [schema.replace(/^JobEvent\.(?=.*\.)/, ""), "JobEvent"] : [schema]

/** Adds a description and an example to each field and parameter, except in the schemas of applications. */
export const describe = (document: Json, isOurs: (schema: string) => boolean): Json => {
  // Schema classes are named `charlotte/…`.
  const text = JSON.stringify(document).replaceAll("#/components/schemas/charlotte~1", "#/components/schemas/")
  const named: Json = JSON.parse(text)
  const components = json(named["components"])
  const schemas = Object.entries(json(components["schemas"])).map(([key, schema]) => {
    const name = key.replace(/^charlotte\//, "")
    return [name, isOurs(name) ? describeFields(ownersOf(name), schema) : schema]
  })
  return {
    ...named,
    paths: mapValues(named["paths"], (item) => mapValues(item, describeOperation)),
    components: { ...components, schemas: Object.fromEntries(schemas) }
  }
}
