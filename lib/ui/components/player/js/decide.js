// Scores and thresholds -> segments, as lib/analysis/segments.py has them, so that a threshold can be dragged: the
// browser decides with every repaint, and Python's result replaces this one once the threshold is let go of.
// Smoothing is Python's: scores come smoothed, and with the smoothing "viterbi" nothing can be decided here.
//
// n samples, p labels. A run is [first, stop): samples of one label that follow each other without a break.

const TOLERANCE_S = 1e-6; // lib.core.samples.TIME_TOLERANCE_S
const NONE = -1;

export class Decider {
  // `side`: times, ends (of each sample's span), scores (p rows of n), backgrounds (p flags).
  // `settings`: decision, hysteresis, bridge_s, min_duration_s, cuts (indices of samples; none where they don't count).
  constructor({ times, ends, scores, backgrounds }, { decision, hysteresis, bridge_s, min_duration_s, cuts }) {
    Object.assign(this, { times, ends, scores, backgrounds, band: hysteresis, bridge: bridge_s, least: min_duration_s });
    this.exclusive = decision !== "threshold";
    this.limited = decision !== "best"; // by thresholds
    const count = times.length;
    this.cut = new Uint8Array(count);
    for (const index of cuts) this.cut[index] = 1;
    this.parted = new Uint8Array(count); // by a gap without samples that is not merged
    this.breaks = new Uint32Array(count + 1); // how many of both there are before each sample
    for (let index = 0; index < count; index += 1) {
      if (index && times[index] - ends[index - 1] > bridge_s + TOLERANCE_S) this.parted[index] = 1;
      this.breaks[index + 1] = this.breaks[index] + (this.cut[index] | this.parted[index]);
    }
  }

  // Of each label start, end and peak of its segments, and whether any sample was `tried` for it. `before`: the result for thresholds of which only that of `row`
  // has changed, or null.
  segments(thresholds, before = null, row = null) {
    if (!this.exclusive) {
      return thresholds.map((threshold, label) => (
        before && row !== null && label !== row ? before[label] : this.finish(this.bridged(this.crossings(label, threshold)), label)
      ));
    }
    const owners = this.owners(this.limited ? thresholds : thresholds.map(() => -Infinity));
    const tried = new Set(owners);
    if (this.bridge > 0) this.bridgeOwners(owners, thresholds.length);
    return this.runsOf(owners, thresholds.length).map((runs, label) => this.finish(runs, label, tried.has(label)));
  }

  isBreak(index) {
    return this.breaks[index + 1] !== this.breaks[index];
  }

  // The runs of a label by itself: it enters at its threshold and leaves below it minus the band.
  crossings(label, threshold) {
    const { scores, cut, band, times: { length } } = this;
    const from = label * length;
    const leaves = threshold - band;
    const runs = [];
    let first = NONE;
    for (let index = 0; index < length; index += 1) {
      const score = scores[from + index];
      if (first === NONE) {
        if (score >= threshold) first = index;
      } else if (score < threshold && (score < leaves || cut[index])) {
        runs.push([first, index]);
        first = NONE;
      } else if (this.isBreak(index)) {
        runs.push([first, index]);
        first = index;
      }
    }
    if (first !== NONE) runs.push([first, length]);
    return runs;
  }

  bridged(runs) {
    if (!(this.bridge > 0)) return runs;
    const joined = [];
    for (const run of runs) {
      const last = joined.at(-1);
      if (last && this.bridges(last[1], run[0])) last[1] = run[1];
      else joined.push(run);
    }
    return joined;
  }

  // Whether a label's gap from the sample `stop` up to the sample `first` is short enough, and holds no break.
  bridges(stop, first) {
    const { times, ends, bridge, breaks } = this;
    return times[first] - ends[stop - 1] <= bridge + TOLERANCE_S && breaks[first + 1] === breaks[stop];
  }

  // The one label of each sample, or none: the best of those that reach their limit.
  owners(limits) {
    const { scores, cut, band, times: { length } } = this;
    const owners = new Int16Array(length).fill(NONE);
    const top = new Float64Array(length).fill(-Infinity);
    limits.forEach((limit, label) => {
      for (let index = 0, at = label * length; index < length; index += 1, at += 1) {
        const score = scores[at];
        if (score >= limit && score > top[index]) {
          top[index] = score;
          owners[index] = label;
        }
      }
    });
    if (band === 0) return owners;
    let owner = NONE;
    for (let index = 0; index < length; index += 1) {
      if (owner !== NONE && owner !== owners[index] && !cut[index]) {
        const score = scores[owner * length + index];
        if (score >= limits[owner] - band && top[index] - score <= band) owners[index] = owner;
      }
      owner = owners[index];
    }
    return owners;
  }

  // Closes gaps inside a label: a target's over samples without a target, a background's over samples without a label.
  bridgeOwners(owners, labels) {
    const { backgrounds } = this;
    const targets = new Uint32Array(owners.length + 1);
    const any = new Uint32Array(owners.length + 1);
    owners.forEach((owner, index) => {
      any[index + 1] = any[index] + (owner !== NONE);
      targets[index + 1] = targets[index] + (owner !== NONE && !backgrounds[owner]);
    });
    const gaps = this.runsOf(owners, labels).map((runs, label) => {
      const taken = backgrounds[label] ? any : targets;
      const pairs = runs.slice(1).map(([first], place) => [runs[place][1], first]);
      return pairs.filter(([stop, first]) => this.bridges(stop, first) && taken[stop] === taken[first]);
    });
    // Backgrounds first: a target's gap may hold a background's, and replaces it.
    for (const background of [true, false]) {
      gaps.forEach((pairs, label) => {
        if (Boolean(backgrounds[label]) === background) for (const [stop, first] of pairs) owners.fill(label, stop, first);
      });
    }
  }

  runsOf(owners, labels) {
    const runs = Array.from({ length: labels }, () => []);
    let first = 0;
    for (let index = 1; index <= owners.length; index += 1) {
      if (index < owners.length && owners[index] === owners[first] && !this.isBreak(index)) continue;
      if (owners[first] !== NONE) runs[owners[first]].push([first, index]);
      first = index;
    }
    return runs;
  }

  // Drops runs that are too short, joins what only a cut parts, and returns segments.
  finish(runs, label, tried = runs.length > 0) {
    const { times, ends, scores, least, parted } = this;
    const from = label * times.length;
    const segments = { start: [], end: [], peak: [], tried };
    let last = NONE;
    for (const [first, stop] of runs) {
      if (ends[stop - 1] - times[first] < least - TOLERANCE_S) continue;
      let peak = -Infinity;
      for (let index = first; index < stop; index += 1) if (scores[from + index] > peak) peak = scores[from + index];
      const place = segments.start.length - 1;
      if (last === first && !parted[first]) {
        segments.end[place] = ends[stop - 1];
        segments.peak[place] = Math.max(peak, segments.peak[place]);
      } else {
        segments.start.push(times[first]);
        segments.end.push(ends[stop - 1]);
        segments.peak.push(peak);
      }
      last = stop;
    }
    return segments;
  }
}

// The end of each sample's span: the next sample, a gap, or the end of the video.
export function endsOf(times, gaps, end) {
  const ends = Float64Array.from(times, (_, index) => (index + 1 < times.length ? times[index + 1] : end));
  let index = -1;
  for (const [start] of gaps) {
    while (index + 1 < times.length && times[index + 1] < start) index += 1;
    if (index >= 0) ends[index] = Math.min(ends[index], start);
  }
  return ends;
}
