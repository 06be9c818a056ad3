// The sandboxed body of a message. It has no script and not our origin, so its height cannot be asked for: the frame
// takes the server's estimate for a column of 680 px, with room to spare, and fills the pane below the header; where that
// was still too short it scrolls inside. (Why not CSS frame-sizing: docs/architecture.md.)
const ESTIMATED_AT_PX = 680;
const SPARE = 1.15;

export function bind(frame) {
  const narrower = Math.max(1, ESTIMATED_AT_PX / (frame.clientWidth || ESTIMATED_AT_PX));
  const height = Number(frame.dataset.estimate) * SPARE * Math.sqrt(narrower);
  if (height) frame.style.flexBasis = `${Math.round(height)}px`;
}
