// Mail came in while the page was open: the list is read again where it stands, an empty one is drawn anew.
import htmx from "htmx";

export function bind(mark) {
  const list = document.querySelector("#list [data-behaviour~=list]");
  if (list) list.dispatchEvent(new CustomEvent("casilla:reload"));
  else if (document.querySelector(".app")?.dataset.view === "list") htmx.ajax("GET", location.pathname + location.search, { target: "#list", swap: "innerHTML" });
  mark.remove();
}
