/** How many lines were added and removed; zeros are omitted. */
export const LineCounts = ({ additions, deletions }: { readonly additions: number; readonly deletions: number }) => (
  <span class="number">
    {additions > 0 && <span class="good">+{additions.toLocaleString("en")}</span>}
    {additions > 0 && deletions > 0 && " "}
    {deletions > 0 && <span class="bad">−{deletions.toLocaleString("en")}</span>}
  </span>
)
