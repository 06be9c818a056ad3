// The sandboxed body of a message. It has no script and not our origin, so its height cannot be asked for: the frame
// takes the server's estimate and scrolls inside; a button gives it more room. Where the browser sizes frames by their
// content (CSS frame-sizing), the estimate is only where it starts.
const FIRST_LIMIT_PX = 4000;

export function bind(frame) {
  const estimate = Number(frame.dataset.estimate) || 420;
  if (CSS.supports("frame-sizing", "content-block-size")) return;
  frame.style.blockSize = `${Math.min(estimate, FIRST_LIMIT_PX)}px`;
  const more = document.createElement("button");
  more.type = "button";
  more.className = "btn btn--sm letter__more";
  more.textContent = frame.dataset.more ?? "";
  more.addEventListener("click", () => {
    frame.style.blockSize = `${frame.offsetHeight * 2}px`;
    frame.focus();
  });
  if (frame.dataset.more) frame.after(more);
}
