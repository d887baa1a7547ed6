// What the lanes show: samples, scores with their levels of detail, segments, thresholds, truth; in a comparison of two
// sides, and where they differ. Never changed once built.

import { answer } from "./answers.js";
import { loadArrays } from "./arrays.js";
import { Decider, endsOf } from "./decide.js";

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
  constructor(arrays, name) {
    const { data, shape } = arrays[name];
    [this.rows, this.count] = shape;
    this.levels = [{ low: data, high: data, count: this.count, span: 1 }];
    for (let level = 0; arrays[`${name}.low${level}`]; level += 1) {
      const low = arrays[`${name}.low${level}`];
      const span = 4 ** (level + 1);
      this.levels.push({ low: low.data, high: arrays[`${name}.high${level}`].data, count: low.shape[1], span });
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

// Arrays of intervals, in rows by label.
function byLabel({ start, end, label, peak }, count) {
  const rows = Array.from({ length: count }, () => ({ start: [], end: [], peak: [] }));
  for (let index = 0; index < start.data.length; index += 1) {
    const row = rows[label.data[index]];
    row.start.push(start.data[index]);
    row.end.push(end.data[index]);
    if (peak) row.peak.push(peak.data[index]);
  }
  return rows;
}

// One analysis: its samples, scores and segments. A comparison has two, each with samples of its own.
class Side {
  constructor(lanes, base, lines, segments, wrong) {
    const { side, labels, shared, axis, gaps, last, length, decision, thresholds, band } = lanes;
    Object.assign(this, { name: side ?? "", labels, shared, axis, gaps, last, length, decision, thresholds, band });
    this.answers = labels.map((label) => label.answer);
    this.times = base.times.data;
    this.frames = base.frames.data;
    this.spikes = base.spikes.data;
    this.change = new Levels(base, "change");
    this.scores = new Levels(lines, "scores");
    this.raw = lines.raw ? new Levels(lines, "raw") : null;
    this.cosines = lines.cosines?.data ?? null;
    this.segments = byLabel(segments, labels.length);
    this.wrong = wrong && byLabel(wrong, labels.length); // where found and true differ
  }

  // The thresholds drawn as rules: each label's own one, then the one that the others share (label null).
  get rules() {
    const own = this.labels.flatMap((label, row) => (label.own === null ? [] : [{ row, value: label.own, ...label }]));
    return this.shared === null ? own : [...own, { row: null, value: this.shared, name: null, colour: "#808080" }];
  }

  // This side with another threshold: that of a label, or the shared one (null).
  withThreshold(label, value) {
    const row = label === null ? null : this.labels.findIndex(({ name }) => name === label);
    const side = Object.assign(Object.create(Side.prototype), this);
    if (row === null) side.shared = value;
    else side.labels = this.labels.map((label, index) => (index === row ? { ...label, own: value } : label));
    if (!this.decision) return side; // with the smoothing "viterbi" only Python decides
    side.decider = this.decider ?? this.makeDecider();
    const thresholds = side.labels.map(({ own }) => own ?? side.shared);
    side.segments = side.decider.segments(thresholds, this.segments, row);
    side.answers = this.answers.map((known, index) => (
      side.segments[index] === this.segments[index] ? known : answer(side.labels[index], side.segments[index], thresholds[index], side)
    ));
    return side;
  }

  makeDecider() {
    const { times, gaps, last, labels, decision, spikes } = this;
    const backgrounds = labels.map(({ rest }) => rest);
    const side = { times, ends: endsOf(times, gaps, last), scores: this.scores.levels[0].low, backgrounds };
    return (this.decider = new Decider(side, { ...decision, cuts: decision.cuts ? spikes : [] }));
  }

  // The sample that stands for `time`: the last one at or before it.
  sampleAt(time) {
    return Math.max(0, after(this.times, time + 1e-6) - 1);
  }
}

// Rows count the labels of all sides, in order; `id` tells labels apart, also where both sides have the same name.
export class Scene {
  constructor({ truth, thumbs, step, only, end }, sides, differences) {
    Object.assign(this, { truth, thumbs, step, only });
    this.setSides(sides);
    const [{ times, frames, spikes, change }] = sides;
    Object.assign(this, { times, frames, spikes, change });
    this.changePeak = change.levels.at(-1).high.reduce((most, value) => Math.max(most, value), 1e-6);
    this.truthRows = rowsOf(this.truth);
    this.shots = shotsOf(sides[0], end);
    this.differences = differences && this.readDifferences(differences);
  }

  setSides(sides) {
    this.sides = sides;
    this.labels = sides.flatMap((side) => side.labels.map((label, row) => (
      { ...label, side, row, id: side.name ? `${side.name} ${label.name}` : label.name }
    )));
    this.segments = sides.flatMap((side) => side.segments);
  }

  // This scene with another threshold on the side of that name; where both sides differ is still what Python sent.
  withThreshold(name, label, value) {
    const scene = Object.assign(Object.create(Scene.prototype), this, { preview: true });
    scene.setSides(this.sides.map((side) => (side.name === name ? side.withThreshold(label, value) : side)));
    return scene;
  }

  // This scene with other ground truth.
  withTruth(truth) {
    return Object.assign(Object.create(Scene.prototype), this, { truth, truthRows: rowsOf(truth) });
  }

  // With the label of either side; null where a side has none.
  readDifferences({ start, end, a, b }) {
    const labelOf = ({ labels }, row) => labels[row] ?? null;
    const [left, right] = this.sides;
    return {
      start: [...start.data],
      end: [...end.data],
      a: Array.from(a.data, (row) => labelOf(left, row)),
      b: Array.from(b.data, (row) => labelOf(right, row)),
    };
  }

  sampleAt(time) {
    return this.sides[0].sampleAt(time);
  }

  // Whether frames are missing at `time`: then there is no sample.
  isGap(time) {
    return this.sides[0].gaps.some(([start, end]) => time >= start && time < end);
  }

  scoreAt(row, time) {
    const { side, row: own } = this.labels[row];
    return side.scores.value(own, side.sampleAt(time));
  }

  // The cosine of a label at `time`, before smoothing; null where it is the score itself or its score is no relative one.
  cosineAt(row, time) {
    const { side, row: own } = this.labels[row];
    return side.cosines && side.cosines[own * side.times.length + side.sampleAt(time)];
  }

  // What the prompt table shows of each label.
  stateAt(time) {
    return this.labels.map(({ side, row: own, name, own: threshold, care }, row) => ({
      side: side.name,
      label: name,
      score: side.times.length ? this.scoreAt(row, time) : null,
      low: side.axis.low,
      high: side.axis.high,
      threshold: threshold ?? side.shared,
      steps: side.thresholds ?? null,
      on: this.segmentAt(row, time) >= 0,
      present: this.segments[row].start.length > 0,
      answer: side.answers[own],
      care: care ?? "",
    }));
  }

  // The segment of a label at `time`, or -1.
  segmentAt(row, time) {
    return at(this.segments[row], time);
  }

  differenceAt(time) {
    return at(this.differences, time);
  }

  // The next (1) or previous (-1) segment of a label as seen from `time`, or null.
  neighbour(row, time, direction) {
    return neighbour(this.segments[row], time, direction);
  }

  // The next (1) or previous (-1) true segment of the label with that key, or of any (null), as seen from `time`.
  trueNeighbour(key, time, direction) {
    const list = key === null ? this.truth : this.truth.filter((one) => one.key === key);
    const found = neighbour({ start: list.map(({ start }) => start), end: list.map(({ end }) => end) }, time, direction);
    return found && { ...found, segment: list[found.index] };
  }

  // Behind the last one comes the first, `around`.
  nextDifference(time, direction) {
    const { differences } = this;
    const next = neighbour(differences, time, direction);
    if (next || !differences.start.length) return next;
    const around = direction > 0 ? differences.start[0] - 1 : differences.end.at(-1) + 1;
    return { ...neighbour(differences, around, direction), around: true };
  }

  nextShot(time, direction) {
    return neighbour(this.shots, time, direction);
  }
}

function at({ start, end }, time) {
  const index = after(start, time + 1e-6) - 1;
  return index >= 0 && time < end[index] - 1e-6 ? index : -1;
}

function neighbour({ start, end }, time, direction) {
  // Backwards from inside one leads to its own start first, as "previous" does in every player.
  const index = direction > 0 ? after(start, time + 0.02) : after(start, time - 0.35) - 1;
  return index >= 0 && index < start.length
    ? { start: start[index], end: end[index], index, count: start.length }
    : null;
}

// What lies between two cuts; a gap without frames ends a shot too.
function shotsOf({ times, spikes, gaps }, end) {
  if (!times.length) return { start: [], end: [] };
  const behind = gaps.map((gap) => after(times, gap[1] - 1e-6)).filter((index) => index < times.length);
  const starts = [...new Set([0, ...spikes, ...behind])].sort((a, b) => a - b).map((index) => times[index]);
  const bounds = [...starts.slice(1), end];
  const ends = starts.map((start, place) => (
    Math.min(bounds[place], ...gaps.filter((gap) => gap[0] > start).map((gap) => gap[0]))
  ));
  return { start: starts, end: ends };
}

// Overlapping intervals go into rows of their own.
function rowsOf(truth) {
  const rows = [];
  for (const segment of truth) {
    let row = rows.find((list) => list.at(-1).end <= segment.start + 1e-6);
    if (!row && rows.length < 3) rows.push((row = []));
    (row ?? rows.at(-1)).push(segment);
  }
  return rows;
}

const buildSide = async (lanes) =>
  new Side(lanes, ...(await Promise.all([lanes.base, lanes.lines, lanes.segments, lanes.wrong].map((one) => one && loadArrays(one)))));

export async function buildScene(lanes) {
  const sides = await Promise.all((lanes.beside ? [lanes, lanes.beside] : [lanes]).map(buildSide));
  return new Scene(lanes, sides, lanes.differences && (await loadArrays(lanes.differences)));
}
