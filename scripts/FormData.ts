/**
 * Replaces the global of this name in the command: `HttpApiClient` checks each request against it, and Node loads all of `fetch` for
 * it, a tenth of the time of `charlotte jobs`. No request of the command is a form.
 */
// oxlint-disable-next-line typescript/no-extraneous-class -- the right side of an `instanceof`
export class FormData {}
