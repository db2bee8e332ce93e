import { useLayoutEffect } from "preact/hooks"

/** Sets the title of the tab while a view is shown. */
export const useTitle = (title: string): void => {
  useLayoutEffect(() => {
    document.title = title
  }, [title])
}
