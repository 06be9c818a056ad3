// Rows of a table that are picked: how many, all of the page at once, and a bar of actions that shows while any is.
export function bind(form) {
  const all = form.querySelector("[data-pick-all]");
  const words = form.querySelector("[data-picked]");
  const boxes = () => [...form.querySelectorAll("tbody .box")];
  const show = () => {
    const on = boxes().filter((box) => box.checked);
    form.toggleAttribute("data-picking", on.length > 0);
    for (const box of boxes()) box.closest("tr").toggleAttribute("aria-selected", false);
    for (const box of on) box.closest("tr").setAttribute("aria-selected", "true");
    words.textContent = on.length === 1 ? words.dataset.one : words.dataset.many.replace("#", on.length.toLocaleString(document.documentElement.lang));
    all.checked = on.length > 0 && on.length === boxes().length;
    all.indeterminate = on.length > 0 && !all.checked;
  };
  form.addEventListener("change", (event) => {
    if (event.target === all) for (const box of boxes()) box.checked = all.checked;
    show();
  });
  show();
}
