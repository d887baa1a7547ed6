// Where an edge comes to lie: on a cut or a sample near by.

import { after } from "./scene.js";

// The entry of `sorted` that is nearest to `time` and at most `reach` away; null where there is none.
function nearest(sorted, time, reach) {
  const index = after(sorted, time);
  let best = null;
  for (const value of [sorted[index - 1], sorted[index]]) {
    if (value === undefined || Math.abs(value - time) > (best === null ? reach : Math.abs(best - time))) continue;
    best = value;
  }
  return best;
}

// Times that an edge may have besides those of samples: where frames are missing, and the ends.
const bounds = ({ sides: [{ gaps, last }] }, view) => [view.first, ...gaps.flat(), last, view.last].sort((a, b) => a - b);

// `time`, or a cut within `reach` seconds of it, else a sample, gap or end as near.
export function snapped(scene, view, time, reach) {
  if (!scene?.times.length) return nearest([view.first, view.last], time, reach) ?? time;
  const cut = nearest(Array.from(scene.spikes, (index) => scene.times[index]), time, reach);
  if (cut !== null) return cut;
  const found = [scene.times, bounds(scene, view)].map((sorted) => nearest(sorted, time, reach));
  const near = found.filter((value) => value !== null).sort((a, b) => Math.abs(a - time) - Math.abs(b - time));
  return near[0] ?? time;
}

// The next (1) or previous (-1) sample, gap or end as seen from `time`; a step of `otherwise` where there are no samples.
export function stepped(scene, view, time, direction, otherwise) {
  const sorted = scene?.times.length ? [scene.times, bounds(scene, view)] : [];
  if (!sorted.length) return time + direction * otherwise;
  const found = sorted.map((list) => (
    list[direction > 0 ? after(list, time + 1e-6) : after(list, time - 2e-6) - 1]
  )).filter((value) => value !== undefined);
  if (!found.length) return time;
  return direction > 0 ? Math.min(...found) : Math.max(...found);
}
