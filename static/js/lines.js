// From a remark about a line to that line of a text field: it is selected and scrolled to.
export function bind(list) {
  const field = document.getElementById(list.dataset.lines);
  list.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link || !field) return;
    event.preventDefault();
    const lines = field.value.split("\n");
    const at = Math.min(Number(link.dataset.line), lines.length) - 1;
    const start = lines.slice(0, at).join("\n").length + (at ? 1 : 0);
    field.focus();
    field.setSelectionRange(start, start + lines[at].length);
    field.scrollTop = Math.max(0, (at - 3) * Number.parseFloat(getComputedStyle(field).lineHeight));
  });
}
