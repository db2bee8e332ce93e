/**
 * Stands in the command for the global of this name, which `HttpApiClient` compares each request with: Node loads all of `fetch` for
 * it, a tenth of the time of `charlotte jobs`. No request of ours is a form.
 */
// oxlint-disable-next-line typescript/no-extraneous-class -- the right side of an `instanceof`
export class FormData {}
