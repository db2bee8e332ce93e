/**
 * What a job has changed.
 */
export const DiffView = ({ id }: { readonly id: string; readonly query: URLSearchParams }) => <h1>Changes of {id}</h1>
