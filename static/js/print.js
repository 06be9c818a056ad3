// A button that opens the print dialog.
export function bind(button) {
  button.addEventListener("click", () => window.print());
}
