// What the lanes show: samples, scores with their levels of detail, segments, thresholds, truth. Never changed once built.

import { loadPack } from "./packs.js";

// The first index at which `sorted` is greater than `value`.
export function after(sorted, value, low = 0, high = sorted.length) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

// Values by row and level: level 0 is every sample, each further one the extremes of neighbours.
class Levels {
  constructor(pack, name) {
    const { data, shape } = pack[name];
    [this.rows, this.count] = shape;
    this.levels = [{ low: data, high: data, count: this.count, span: 1 }];
    for (let level = 0; pack[`${name}.low${level}`]; level += 1) {
      const low = pack[`${name}.low${level}`];
      const span = 4 ** (level + 1);
      this.levels.push({ low: low.data, high: pack[`${name}.high${level}`].data, count: low.shape[1], span });
    }
  }

  value(row, index) {
    return this.levels[0].low[row * this.count + index];
  }

  // The coarsest level that still has a value for each of `columns` over `visible` samples.
  pick(visible, columns) {
    let best = this.levels[0];
    for (const level of this.levels) if (visible / level.span >= columns) best = level;
    return best;
  }
}

export class Scene {
  constructor(words, base, lines, segments) {
    Object.assign(this, words); // duration, labels, shared, axis, score, truth, gaps, thumbs, step
    this.times = base.times.data;
    this.frames = base.frames.data;
    this.spikes = base.spikes.data;
    this.change = new Levels(base, "change");
    this.scores = new Levels(lines, "scores");
    this.changePeak = this.change.levels.at(-1).high.reduce((most, value) => Math.max(most, value), 1e-6);
    this.segments = this.labels.map(() => ({ start: [], end: [], peak: [] }));
    const { start, end, label, peak } = segments;
    for (let index = 0; index < start.data.length; index += 1) {
      const row = this.segments[label.data[index]];
      row.start.push(start.data[index]);
      row.end.push(end.data[index]);
      row.peak.push(peak.data[index]);
    }
    this.truthRows = rowsOf(this.truth);
  }

  // The sample that stands for `time`: the last one at or before it.
  sampleAt(time) {
    return Math.max(0, after(this.times, time + 1e-6) - 1);
  }

  // The segment of a label at `time`, or -1.
  segmentAt(row, time) {
    const { start, end } = this.segments[row];
    const index = after(start, time + 1e-6) - 1;
    return index >= 0 && time < end[index] - 1e-6 ? index : -1;
  }

  // The next (1) or previous (-1) segment of a label as seen from `time`, or null.
  neighbour(row, time, direction) {
    const { start, end } = this.segments[row];
    // Backwards from inside a segment leads to its own start first, as "previous" does in every player.
    const index = direction > 0 ? after(start, time + 0.02) : after(start, time - 0.35) - 1;
    return index >= 0 && index < start.length
      ? { start: start[index], end: end[index], index, count: start.length }
      : null;
  }
}

// Overlapping intervals go into rows of their own.
function rowsOf(truth) {
  const rows = [];
  for (const one of truth) {
    let row = rows.find((list) => list.at(-1).end <= one.start + 1e-6);
    if (!row && rows.length < 3) rows.push((row = []));
    (row ?? rows.at(-1)).push(one);
  }
  return rows;
}

export async function buildScene({ base, lines, segments, ...words }) {
  return new Scene(words, ...(await Promise.all([base, lines, segments].map(loadPack))));
}
