// A tag was made in the dialog: it stands in the menus now, and goes on what was selected, or on the open message.
import { act } from "casilla/act";

export function bind(mark) {
  const { keyword } = mark.dataset;
  const dialog = mark.closest("dialog");
  mark.remove();
  dialog?.close();
  for (const items of document.querySelectorAll("[data-tag-items]")) if (!items.querySelector(`[data-tag="${CSS.escape(keyword)}"]`)) items.append(itemOf(keyword));
  act("tag", { tag: keyword });
}

const itemOf = (keyword) => document.querySelector(`[data-tag-items] [data-tag="${CSS.escape(keyword)}"]`).cloneNode(true);
