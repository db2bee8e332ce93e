/**
 * The filters that the user has saved in this browser.
 */
import { shared } from "../address.js"
import { toJobs } from "../router.js"
import { kept } from "../ui/kept.js"
import { visible } from "../ui/visible.js"
import { isFiltered, nameOf, parse, type Shown, toQuery } from "./filter.js"

const saved = kept(encodeURIComponent(shared("charlotte.filters")), 30)

export const SavedFilters = ({ shown }: { readonly shown: Shown }) => {
  const query = toQuery(shown)
  const isSaved = saved.all.value.has(query)
  if (saved.all.value.size === 0 && !isFiltered(shown)) return null
  return (
    <nav class="saved-filters" aria-label="Saved filters">
      {[...saved.all.value].map((each) => {
        const name = visible(nameOf(parse(new URLSearchParams(each))))
        return (
          <span key={each} class="saved-filter">
            <a
              href={toJobs(Object.fromEntries(new URLSearchParams(each)))}
              {...(each === query ? { "aria-current": "true" as const } : {})}
            >
              {name}
            </a>
            <button type="button" class="quiet" onClick={() => saved.remove(each)}>
              ✕<span class="visually-hidden"> remove the filter {name}</span>
            </button>
          </span>
        )
      })}
      {isFiltered(shown) && !isSaved && (
        <button type="button" class="quiet" onClick={() => saved.add([query])}>
          Save this filter
        </button>
      )}
    </nav>
  )
}
