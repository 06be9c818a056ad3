// Pictures in the text of a composer: by button, by paste, dropped where they are to stand. They go up as files of the message
// and are shown from there; what is no picture, or too large for one, is attached as any file.
import { keep } from "casilla/editor";
import { say } from "casilla/problems";

const SHOWN = /^image\/(png|jpeg|gif|webp|avif)$/;
const WIDEST_PX = 720;

export function bindPictures(state, files) {
  const { form } = state;
  const rich = form.querySelector(".compose__rich");
  form.querySelector("[data-insert-image]").addEventListener("change", (event) => {
    insert(state, files, [...event.target.files]);
    event.target.value = "";
  });
  rich.addEventListener("paste", (event) => {
    const data = event.clipboardData;
    const found = [...(data?.files ?? [])];
    if (!found.length || data.getData("text") || !found.some((file) => SHOWN.test(file.type))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    insert(state, files, found);
  }, true);
  rich.addEventListener("drop", (event) => {
    const found = [...(event.dataTransfer?.files ?? [])];
    if (!found.some((file) => SHOWN.test(file.type))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    insert(state, files, found, placeAt(event));
  }, true);
  rich.addEventListener("click", (event) => {
    if (event.target.localName !== "img") return;
    event.stopPropagation(); // the editor's own handles need styles that the policy of the page does not let in
    describe(state, event.target);
  });
}

// The place in the text under the pointer.
function placeAt({ clientX, clientY }) {
  const at = document.caretPositionFromPoint?.(clientX, clientY);
  if (!at) return document.caretRangeFromPoint?.(clientX, clientY) ?? null;
  const range = document.createRange();
  range.setStart(at.offsetNode, at.offset);
  return range;
}

async function insert(state, files, found, place) {
  const { form, editor } = state;
  let range = place ?? editor.getSelection();
  for (const file of found) {
    if (!SHOWN.test(file.type) || file.size > Number(form.dataset.imageLimit)) {
      if (SHOWN.test(file.type)) say(form, form.dataset.imageLarge);
      await files.upload(file);
      continue;
    }
    const url = await files.upload(file, { inline: true });
    if (!url || !form.isConnected) continue;
    const attributes = { alt: file.name.replace(/\.\w+$/, ""), ...(await sizeOf(file)) };
    editor.setSelection(range);
    editor.insertImage(url, attributes);
    range = editor.getSelection();
    keep(state);
  }
}

// As wide as a letter at most; its height follows.
async function sizeOf(file) {
  try {
    const { width } = await createImageBitmap(file);
    return { width: Math.min(width, WIDEST_PX) };
  } catch {
    return {};
  }
}

// What a picture shows, in words; or out with it.
async function describe(state, image) {
  const dialog = document.getElementById("picture");
  const field = dialog.querySelector("input");
  field.value = image.alt;
  dialog.returnValue = "";
  dialog.querySelector("[data-picture-remove]").onclick = () => dialog.close("remove");
  dialog.showModal();
  field.select();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  if (!image.isConnected || !["yes", "remove"].includes(dialog.returnValue)) return;
  if (dialog.returnValue === "remove") image.remove();
  else image.alt = field.value.trim();
  keep(state);
  state.editor.focus();
}
