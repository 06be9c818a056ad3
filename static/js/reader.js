// The two panes: which row is open, where focus is, and which pane a narrow window shows.
export function bind(app) {
  app.addEventListener("click", (event) => onClick(app, event));
  app.addEventListener("casilla:rows", () => mark(app));
  document.addEventListener("htmx:after:swap", (event) => afterSwap(app, event));
  mark(app);
}

function onClick(app, event) {
  const back = event.target.closest("[data-back]");
  if (!back || event.ctrlKey || event.metaKey || event.shiftKey || !app.querySelector("#list .row")) return;
  event.preventDefault();
  showList(app);
  history.pushState(history.state, "", back.href);
}

export function showList(app) {
  app.dataset.view = "list";
  const row = app.querySelector("#list .row[aria-current] .row__subj") ?? app.querySelector("#list .row__subj");
  row?.focus();
}

function afterSwap(app, event) {
  const target = event.detail?.ctx?.target ?? event.target;
  if (target?.id === "reader") {
    const letter = app.querySelector("#reader [data-reader], #reader [role=alert]");
    if (!letter) return;
    app.dataset.view = "read";
    mark(app);
    (app.querySelector("#subject") ?? app.querySelector("#reader")).focus({ preventScroll: true });
  } else if (target?.id === "list") {
    app.dataset.view = "list";
    delete app.dataset.drawer;
    delete app.dataset.search;
    app.querySelector("#list .row__subj")?.focus({ preventScroll: true });
  }
}

function mark(app) {
  const letter = app.querySelector("#reader [data-reader]");
  for (const row of app.querySelectorAll("#list .row[aria-current]")) row.removeAttribute("aria-current");
  const row = letter && app.querySelector(`#list .row[data-ref="${CSS.escape(letter.dataset.ref)}"]`);
  if (!row) return;
  row.setAttribute("aria-current", "true");
  row.toggleAttribute("data-unread", !("seen" in letter.dataset));
  if ("seen" in letter.dataset) row.querySelector(".row__subj > .sr")?.remove();
  const star = row.querySelector(".row__flags .star");
  if ("flagged" in letter.dataset && !star) {
    const icon = app.querySelector("#reader svg.star")?.cloneNode(true);
    icon?.classList.add("i--sm");
    if (icon) row.querySelector(".row__flags").append(icon);
  } else if (!("flagged" in letter.dataset)) star?.remove();
  row.scrollIntoView({ block: "nearest" });
}
