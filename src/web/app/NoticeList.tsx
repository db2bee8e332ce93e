import { dismiss, notices } from "./notices.js"

export const NoticeList = () => (
  <div class="notices" role="status">
    {notices.value.map(({ id, text, tone }) => (
      <div key={id} class={`notice ${tone}`}>
        <span class="grow">{text}</span>
        <button type="button" class="quiet" onClick={() => dismiss(id)}>
          ✕<span class="visually-hidden">Dismiss</span>
        </button>
      </div>
    ))}
  </div>
)
