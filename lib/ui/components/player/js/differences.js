// In a comparison: the lane of differences, and what dims the rest. `canvas` is the Lanes.

import { after } from "./scene.js";

// A's label above B's, each in its colour; grey where a side has none.
export function drawDifferences(canvas) {
  const { scene, lanes, view } = canvas;
  const lane = lanes.differences;
  const { start, end, a, b } = scene.differences;
  canvas.title("differences", lane);
  canvas.rect(canvas.left, lane.y, canvas.plot, lane.height, canvas.ink, 0.045);
  const alpha = scene.preview ? 0.35 : 1; // Python's, from before the threshold that is being dragged
  canvas.clip(lane, () => {
    const half = lane.height / 2 - 2.5;
    let last = -1;
    for (let index = Math.max(0, after(start, view.start) - 1); index < start.length && start[index] < view.end; index += 1) {
      const x0 = canvas.xOf(start[index]);
      const x1 = canvas.xOf(end[index]);
      if (x1 <= last || x1 < canvas.left) continue; // a speck behind one that is drawn
      const wide = Math.max(x1 - x0 - 1, 1);
      last = x0 + wide;
      canvas.rect(x0, lane.y + 2, wide, half, a[index]?.colour ?? canvas.ink, (a[index] ? 1 : 0.25) * alpha);
      canvas.rect(x0, lane.y + 3 + half, wide, half, b[index]?.colour ?? canvas.ink, (b[index] ? 1 : 0.25) * alpha);
    }
  });
}

// "Only differences": everything else is dimmed.
export function dimAgreement(canvas, gap) {
  const { scene, lanes, view } = canvas;
  const { start, end } = scene.differences;
  const top = lanes.ruler.height;
  const foot = lanes.overview.y - gap;
  const dim = (from, to) => {
    const x0 = Math.max(canvas.left, canvas.xOf(from));
    const x1 = Math.min(canvas.left + canvas.plot, canvas.xOf(to));
    if (x1 > x0) canvas.rect(x0, top, x1 - x0, foot - top, canvas.paper, 0.86);
  };
  let from = view.start;
  for (let index = 0; index < start.length && start[index] < view.end; index += 1) {
    dim(from, start[index]);
    from = Math.max(from, end[index]);
  }
  dim(from, view.end);
}
