// Dialogs open by a button that names them; the preview shows an image or a PDF in place.
export function bind(dialog) {
  document.addEventListener("click", (event) => {
    if (event.target.closest(`[data-dialog="${dialog.id}"]`)) dialog.showModal();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

export function bindPreview(dialog) {
  const place = dialog.querySelector("[data-preview-place]");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-preview]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const shown = document.createElement(link.dataset.preview === "pdf" ? "iframe" : "img");
    shown.src = link.href;
    shown[link.dataset.preview === "pdf" ? "title" : "alt"] = link.textContent;
    place.replaceChildren(shown);
    dialog.showModal();
  });
  dialog.addEventListener("close", () => place.replaceChildren());
}
