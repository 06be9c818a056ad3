// Touch: a row swiped towards the end is archived, towards the start deleted, both with their undo; a long press selects.
import { act } from "casilla/act";
import { toggle } from "casilla/select";

const THRESHOLD = 0.35; // of the row's width
const SLOP_PX = 12;
const LONG_PRESS_MS = 500;

export function bind(list) {
  let swipe = null;
  list.addEventListener("pointerdown", (event) => {
    const row = event.target.closest(".row");
    swipe = event.pointerType === "touch" && row ? { row, x: event.clientX, y: event.clientY, id: event.pointerId } : null;
    if (swipe) swipe.timer = setTimeout(press, LONG_PRESS_MS);
  });
  list.addEventListener("pointermove", (event) => {
    if (!swipe || event.pointerId !== swipe.id) return;
    const [dx, dy] = [event.clientX - swipe.x, event.clientY - swipe.y];
    if (Math.hypot(dx, dy) > SLOP_PX) clearTimeout(swipe.timer);
    if (!swipe.going && Math.abs(dy) > SLOP_PX) swipe = null;
    else if (swipe.going || Math.abs(dx) > SLOP_PX) follow(swipe, dx, event);
  });
  list.addEventListener("pointerup", () => end(true));
  list.addEventListener("pointercancel", () => end(false));
  list.addEventListener("contextmenu", (event) => event.pointerType === "touch" && event.target.closest(".row") && event.preventDefault());
  list.addEventListener("click", (event) => {
    if (!list.dataset.swiped) return;
    event.preventDefault();
    event.stopPropagation();
    delete list.dataset.swiped;
  }, true);

  function follow(state, dx, event) {
    if (!state.going) list.setPointerCapture(event.pointerId);
    state.going = true;
    state.dx = dx;
    state.row.style.translate = `${dx}px`;
    state.row.dataset.swipe = name(state);
  }

  function press() {
    if (!swipe || swipe.going) return;
    toggle(list, swipe.row);
    hush();
    swipe = null;
  }

  // The click that follows the finger opens nothing.
  function hush() {
    list.dataset.swiped = "true";
    const forget = () => setTimeout(() => delete list.dataset.swiped, 50);
    document.addEventListener("pointerup", forget, { once: true });
    document.addEventListener("pointercancel", forget, { once: true });
  }

  function end(done) {
    clearTimeout(swipe?.timer);
    if (!swipe?.going) return (swipe = null);
    const { row } = swipe;
    const action = done && name(swipe);
    row.style.translate = "";
    delete row.dataset.swipe;
    list.dataset.swiped = "true";
    setTimeout(() => delete list.dataset.swiped, 50);
    swipe = null;
    if (action) act(action, { refs: [row.dataset.ref], confirm: action === "delete" && Boolean(row.querySelector("[data-confirm]")) });
  }
}

function name({ row, dx }) {
  if (Math.abs(dx) < row.offsetWidth * THRESHOLD) return "";
  return (dx > 0) === (document.dir !== "rtl") ? "archive" : "delete";
}
