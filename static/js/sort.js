// Rows in an order of their own: each is dragged by its grip to another place, and the new order is sent as a form. Buttons
// in the rows do the same without a mouse.
export function bind(list) {
  let dragged = null;

  list.addEventListener("pointerdown", (event) => {
    const row = event.target.closest("[data-grip]")?.closest("[data-row]");
    for (const one of rows(list)) one.draggable = one === row;
  });
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-row]");
    if (!dragged) return;
    dragged.dataset.dragged = "";
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
  });
  list.addEventListener("dragover", (event) => {
    const row = event.target.closest("[data-row]");
    if (!dragged || !row) return;
    event.preventDefault();
    const { top, height } = row.getBoundingClientRect();
    mark(list, row === dragged ? null : row, event.clientY < top + height / 2 ? "before" : "after");
  });
  list.addEventListener("drop", (event) => {
    const row = list.querySelector("[data-drop]");
    if (!dragged || !row) return;
    event.preventDefault();
    row[row.dataset.drop](dragged);
    send(list);
  });
  list.addEventListener("dragend", () => {
    if (dragged) delete dragged.dataset.dragged;
    dragged = null;
    mark(list, null);
  });
}

const rows = (list) => [...list.querySelectorAll("[data-row]")];

function mark(list, row, side) {
  for (const one of rows(list)) if (one !== row) delete one.dataset.drop;
  if (row) row.dataset.drop = side;
}

function send(list) {
  const form = document.getElementById("filter-order");
  const order = rows(list).map((row) => row.dataset.row);
  if (!form || order.every((one, at) => Number(one) === at)) return;
  form.elements.order.value = order.join(",");
  form.requestSubmit();
}
