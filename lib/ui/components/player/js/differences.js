// In a comparison: the lane of where both sides differ, and the veil over where they don't. `host` is the lanes.

import { after } from "./scene.js";

// What A says above what B says, each in its label's colour; grey where a side says nothing.
export function drawDifferences(host) {
  const { scene, lanes, view } = host;
  const lane = lanes.differences;
  const { start, end, a, b } = scene.differences;
  host.title("differences", lane);
  host.rect(host.left, lane.y, host.plot, lane.height, host.ink, 0.045);
  host.clip(lane, () => {
    const half = lane.height / 2 - 2.5;
    let last = -1;
    for (let index = Math.max(0, after(start, view.start) - 1); index < start.length && start[index] < view.end; index += 1) {
      const x0 = host.xOf(start[index]);
      const x1 = host.xOf(end[index]);
      if (x1 <= last || x1 < host.left) continue; // a speck behind one that is drawn
      const wide = Math.max(x1 - x0 - 1, 1);
      last = x0 + wide;
      host.rect(x0, lane.y + 2, wide, half, a[index]?.colour ?? host.ink, a[index] ? 1 : 0.25);
      host.rect(x0, lane.y + 3 + half, wide, half, b[index]?.colour ?? host.ink, b[index] ? 1 : 0.25);
    }
  });
}

// "Only differences": all else steps back.
export function veilAgreement(host, gap) {
  const { scene, lanes, view } = host;
  const { start, end } = scene.differences;
  const top = lanes.ruler.height;
  const foot = lanes.overview.y - gap;
  const veil = (from, to) => {
    const x0 = Math.max(host.left, host.xOf(from));
    const x1 = Math.min(host.left + host.plot, host.xOf(to));
    if (x1 > x0) host.rect(x0, top, x1 - x0, foot - top, host.paper, 0.86);
  };
  let from = view.start;
  for (let index = 0; index < start.length && start[index] < view.end; index += 1) {
    veil(from, start[index]);
    from = Math.max(from, end[index]);
  }
  veil(from, view.end);
}
