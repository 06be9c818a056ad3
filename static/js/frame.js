// The sandboxed body of a message. It has no script and not our origin, so its height cannot be asked for: the frame
// takes the server's estimate and scrolls inside if that was short; a button gives it more room. (Why not CSS
// frame-sizing: docs/architecture.md.)
const FIRST_LIMIT_PX = 4000;

export function bind(frame) {
  const estimate = Number(frame.dataset.estimate) || 420;
  frame.style.blockSize = `${Math.min(estimate, FIRST_LIMIT_PX)}px`;
  if (!frame.dataset.more) return;
  const more = document.createElement("button");
  more.type = "button";
  more.className = "btn btn--sm letter__more";
  more.textContent = frame.dataset.more;
  more.addEventListener("click", () => {
    frame.style.blockSize = `${frame.offsetHeight * 2}px`;
    frame.focus();
  });
  frame.after(more);
}
