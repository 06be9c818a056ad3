// Dialogs opened by a button that names them (data-dialog="id"), closed by Esc, their own button or a click beside them.
// The browser gives focus back to the opener.
export function start() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) open(opener.dataset.dialog);
  });
}

export function open(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return false;
  dialog.showModal();
  return true;
}

export function bind(dialog) {
  dialog.addEventListener("click", (event) => (event.target === dialog || event.target.closest("[data-dialog-close]")) && dialog.close());
}
