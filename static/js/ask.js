// A question that a button opens in its place (details): the safe answer has the focus, Escape and Cancel close it again and
// give the focus back.
export function bind(details) {
  const summary = details.querySelector("summary");
  const cancel = details.querySelector("[data-ask-cancel]");
  const close = () => {
    details.open = false;
    summary.focus();
  };
  details.addEventListener("toggle", () => { if (details.open) cancel.focus(); });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    close();
  });
  cancel.addEventListener("click", close);
}
