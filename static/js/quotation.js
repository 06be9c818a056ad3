// The quotation of a composer, which stands in a frame: taken out, or taken into the editor to answer between its lines. It
// has been cleaned by the server then, and the editor cleans it once more.
import { keep } from "casilla/editor";

export function bindQuotation(state) {
  const { form } = state;
  const dropped = form.querySelector("[data-drop-quote]");
  if (dropped?.value === "1") form.querySelector("[data-quote]")?.remove();
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-quote-do]");
    if (!button) return;
    if (button.dataset.quoteDo === "take") takeQuote(state);
    else drop(state);
  });
}

// True when the quotation stands in the editor, or there is none.
export async function takeQuote(state) {
  const { form, editor } = state;
  if (!form.querySelector("[data-quote]")) return true;
  const response = await fetch(`${form.action}quote/?edit=1`, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
  if (!response?.ok || response.redirected || !form.isConnected) return false;
  const quote = await response.text();
  const before = editor.getHTML();
  editor.setHTML(form.dataset.writeBelow === undefined ? `${before}${quote}` : `${quote}${before}`);
  drop(state);
  keep(state);
  const range = document.createRange();
  range.setStart(form.querySelector(".compose__rich blockquote") ?? form.querySelector(".compose__rich"), 0);
  editor.setSelection(range);
  editor.focus();
  return true;
}

function drop({ form, changed, editor }) {
  form.querySelector("[data-drop-quote]").value = "1";
  form.querySelector("[data-quote]").remove();
  changed();
  editor?.focus();
}
