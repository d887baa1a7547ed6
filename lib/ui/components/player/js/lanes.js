// All lanes on one canvas: ruler, score lines with thresholds, segments, truth, change, thumbnails, overview.
// Redrawn when the view or the scene changes, never for the playhead, which is an element of its own above it.

import { timeTicks } from "./axis.js";
import { drawDifferences, dimAgreement } from "./differences.js";
import { inView, paintArea, paintBars, paintLine } from "./paint.js";
import { formatTime } from "./format.js";
import { isSame } from "./truth.js";

const GUTTER = 112; // the charts' left axis (lib/charts/layers.py) and their padding: both have one time axis
const NARROW_GUTTER = 76;
const RIGHT = 8;
const GAP = 7;
const HATCH = 7; // pixels from line to line
const GRAB = 5; // pixels from a rule or an edge at which the pointer takes it
const SPIKE = "#D9480F";
const HEIGHTS = { ruler: 20, scores: 132, besides: 88, rows: 180, truth: 18, differences: 20, change: 34, film: 46, overview: 22 };
const LOW = { scores: 88, besides: 44, rows: 150 };
const LOW_WINDOW = 800; // a window lower than this has low lanes
const LARGE = { ruler: 26, truth: 24, overview: 24 }; // for an audience
const DECIDED = new Set(["segments", "differences"]);
const TEXT = 13;
const LARGE_TEXT = 16;
const SEEN_PX = 6; // an audience sees a segment that is narrower as one of this width

export class Lanes {
  constructor(canvas, view, film) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.view = view;
    this.film = film;
    this.scene = null;
    this.lanes = {};
    this.kept = new Map(); // side -> picture of its lines, and what it shows
    this.width = 0;
    this.large = false; // for an audience: large text, and neither change nor film
  }

  // Where each lane lies, in CSS pixels; returns the height of all.
  arrange(width) {
    const { scene } = this;
    const labels = scene?.labels.length ?? 0;
    this.width = width;
    this.size = this.large ? LARGE_TEXT : TEXT;
    this.left = Math.round(((width < 420 ? NARROW_GUTTER : GUTTER) * this.size) / TEXT);
    this.plot = Math.max(40, width - this.left - RIGHT);
    this.arranged = this.wanted;
    const low = window.innerHeight < LOW_WINDOW ? LOW : {};
    this.heights = { ...HEIGHTS, ...low, ...(this.large ? LARGE : {}) };
    this.row = Math.max(this.size + 2, Math.min(this.large ? 24 : 19, Math.floor(this.heights.rows / Math.max(labels, 1))));
    this.lanes = {};
    let y = 0;
    const add = (name, height, gap = GAP, side = null) => {
      this.lanes[side ? name + side.name : name] = { y, height, name, side };
      y += height + gap;
    };
    add("ruler", this.heights.ruler, 2);
    if (scene) {
      const two = scene.sides.length > 1;
      for (const side of scene.sides) {
        if (!side.labels.length) continue; // no prompts yet
        add("scores", two ? this.heights.besides : this.heights.scores, two ? 3 : GAP, side);
        add("segments", side.labels.length * this.row, GAP, side);
      }
      if (scene.differences) add("differences", HEIGHTS.differences);
      if (scene.truthRows.length) add("truth", scene.truthRows.length * this.heights.truth);
      if (!two && scene.times.length && !this.large) add("change", HEIGHTS.change);
      if (scene.thumbs && !this.large) add("film", HEIGHTS.film);
    }
    add("overview", this.heights.overview, 0);
    this.height = y + 1;
    return this.height;
  }

  // Where what is decided ends: segments, and in a comparison the differences below them.
  get decided() {
    const { y = 0, height = 0 } = Object.values(this.lanes).findLast(({ name }) => DECIDED.has(name)) ?? {};
    return y + height;
  }

  get wanted() {
    return `${this.large} ${window.innerHeight < LOW_WINDOW}`;
  }

  // Whether they were arranged for a window as high as this one, and for who looks at them now.
  get fits() {
    return this.arranged === this.wanted;
  }

  // The lane at `y`, and the label's row in a lane of segments.
  at(y) {
    for (const { y: top, height, name, side } of Object.values(this.lanes)) {
      if (y < top || y >= top + height) continue;
      return { name, row: name === "segments" ? this.rowsOf(side).first + Math.floor((y - top) / this.row) : -1 };
    }
    return { name: null, row: -1 };
  }

  // The rows of a side's labels among all.
  rowsOf(side) {
    const { sides } = this.scene;
    const first = sides.slice(0, sides.indexOf(side)).reduce((count, { labels }) => count + labels.length, 0);
    return { first, last: first + side.labels.length };
  }

  timeAt(x) {
    return this.view.start + ((x - this.left) / this.plot) * this.view.span;
  }

  // Where a time is in the strip of the whole video.
  stripX(time) {
    return this.left + ((time - this.view.first) / (this.view.duration || 1)) * this.plot;
  }

  xOf(time) {
    return this.left + ((time - this.view.start) / (this.view.span || 1)) * this.plot;
  }

  // `state`: chosen (row), hidden (set of names), span ({start, end} or null), mark ([start, end]), truth (the chosen
  // segment of it), fast (the view moves), keys (whether the keys of labels are shown).
  draw(state) {
    const { canvas, pen, view } = this;
    const ratio = window.devicePixelRatio || 1;
    const wide = Math.round(this.width * ratio);
    const high = Math.round(this.height * ratio);
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide;
      canvas.height = high;
      canvas.style.height = `${this.height}px`;
    }
    const style = getComputedStyle(canvas);
    this.ratio = ratio;
    this.ink = style.color;
    this.paper = style.getPropertyValue("--st-background-color").trim() || "#fff";
    this.accent = style.getPropertyValue("--st-primary-color").trim() || "#0b5cad";
    this.family = style.fontFamily;
    this.box = { x: Math.round(this.left * ratio), width: Math.round(this.plot * ratio) };
    pen.clearRect(0, 0, wide, high);
    if (!(view.duration > 0) || this.width < 60) return;
    this.drawRuler();
    if (this.scene) {
      const rangeOf = ({ times }) => (times.length ? inView(times, view) : null);
      for (const side of this.scene.sides) {
        if (!this.lanes[`scores${side.name}`]) continue;
        this.drawScores(state, side, rangeOf(side));
        this.drawGaps(side, this.lanes[`scores${side.name}`]);
        this.drawGaps(side, this.lanes[`segments${side.name}`]);
        this.drawSegments(state, side); // over gaps, which a segment may bridge
      }
      if (this.lanes.differences) drawDifferences(this);
      if (this.lanes.truth) this.drawTruth(state);
      if (this.lanes.change) this.drawChange(rangeOf(this.scene.sides[0]));
      if (this.lanes.film) this.film.draw(this);
      for (const name of ["change", "film"]) this.drawGaps(this.scene.sides[0], this.lanes[name]);
      if (this.scene.only && this.scene.differences.start.length) dimAgreement(this, GAP);
    }
    this.drawMarks(state);
    this.drawOverview();
  }

  text(words, x, y, { align = "left", alpha = 0.72, size = this.size, colour = this.ink, most = 0 } = {}) {
    const { pen, ratio } = this;
    pen.font = `${size * ratio}px ${this.family}`;
    pen.textAlign = align;
    pen.textBaseline = "middle";
    pen.globalAlpha = alpha;
    pen.fillStyle = colour;
    let text = words;
    if (most) {
      while (text && pen.measureText(text === words ? words : `${text}…`).width > most * ratio) text = text.slice(0, -1);
      if (text !== words) text = text ? `${text}…` : "";
    }
    pen.fillText(text, x * ratio, y * ratio);
    pen.globalAlpha = 1;
  }

  rect(x, y, width, height, colour, alpha = 1) {
    const { pen, ratio } = this;
    pen.globalAlpha = alpha;
    pen.fillStyle = colour;
    pen.fillRect(Math.round(x * ratio), Math.round(y * ratio), Math.round(width * ratio), Math.round(height * ratio));
    pen.globalAlpha = 1;
  }

  clip({ y, height }, paint) {
    const { pen, ratio, box } = this;
    pen.save();
    pen.beginPath();
    pen.rect(box.x, Math.round(y * ratio), box.width, Math.round(height * ratio));
    pen.clip();
    paint(Math.round(y * ratio), Math.round(height * ratio));
    pen.restore();
  }

  title(words, { y, height }) {
    this.text(words, this.left - 8, y + height / 2, { align: "right", most: this.left - 12 });
  }

  drawRuler() {
    const { view, lanes } = this;
    const { times, decimals } = timeTicks(view.start, view.end, this.plot);
    const foot = lanes.overview.y - GAP;
    for (const time of times) {
      const x = this.xOf(time);
      const room = Math.min(Math.max(x, this.left + 24), this.left + this.plot - 14);
      this.text(formatTime(time, decimals), room, lanes.ruler.height / 2 - 1, { align: "center" });
      if (this.scene) this.rect(x, lanes.ruler.height - 3, 1 / this.ratio, foot - lanes.ruler.height + 3, this.ink, 0.08);
    }
    this.rect(this.left, lanes.ruler.height - 1, this.plot, 1 / this.ratio, this.ink, 0.3);
  }

  drawScores(state, side, range) {
    const { pen, ratio, lanes, view, box } = this;
    const lane = lanes[`scores${side.name}`];
    const { ticks } = side.axis;
    const y = (value) => this.scoreY(side, value);
    const decimals = Math.max(0, ...ticks.map((tick) => (String(+tick.toFixed(4)).split(".")[1] ?? "").length));
    const every = ticks.length > 1 ? Math.ceil((TEXT + 1) / Math.abs(y(ticks[1]) - y(ticks[0]))) : 1; // legible in a low lane
    for (const tick of ticks.filter((_, index) => index % every === 0)) {
      this.text(tick.toFixed(decimals).replace("-", "−"), this.left - 8, y(tick), { align: "right" });
      this.rect(this.left, y(tick), this.plot, 1 / ratio, this.ink, 0.1);
    }
    if (side.name) this.badge(side.name, lane.y + 10);
    const toY = (value) => y(value) * ratio;
    this.clip(lane, () => {
      if (side.band) { // what unrelated text reaches
        const [foot, top] = side.band.map(y);
        this.rect(this.left, top, this.plot, Math.max(foot - top, 1), "#808080", 0.16);
      }
      if (range) this.drawLines(state, side, range, toY);
      pen.setLineDash([6 * ratio, 4 * ratio]);
      pen.lineWidth = 1.5 * ratio;
      const rule = (value, colour, alpha = 1) => {
        pen.globalAlpha = alpha;
        pen.strokeStyle = colour;
        pen.beginPath();
        pen.moveTo(box.x, toY(value));
        pen.lineTo(box.x + box.width, toY(value));
        pen.stroke();
        pen.globalAlpha = 1;
      };
      const band = side.decision?.hysteresis;
      for (const { value, colour } of this.shownRules(side, state.hidden)) {
        rule(value, colour);
        if (band) rule(value - band, colour, 0.45); // below it a label leaves
      }
    });
    if (side.raw) {
      this.text("faint: before smoothing", this.left + this.plot - 4, lane.y + 9, { align: "right", alpha: 0.6 });
    }
  }

  // The lines; a picture of them is kept, as they stay what they are while a threshold is dragged or the playhead moves.
  drawLines(state, side, range, toY) {
    const { ratio, view, box } = this;
    const { y, height } = this.lanes[`scores${side.name}`];
    const [top, high] = [Math.round(y * ratio), Math.round(height * ratio)];
    const of = [];
    this.labels(state, side, (label, chosen) => of.push([label.row, label.colour, label.dash, chosen]));
    const { low, high: peak } = side.axis;
    const about = JSON.stringify([of, view.start, view.end, low, peak, box, top, high, ratio, state.fast]);
    let kept = this.kept.get(side.name);
    const { scores, raw } = side;
    if (kept?.about !== about || kept.scores !== scores.levels[0].low || kept.raw !== raw?.levels[0].low) {
      const canvas = kept?.canvas ?? document.createElement("canvas");
      Object.assign(canvas, { width: box.width, height: high }); // which clears it
      const pen = canvas.getContext("2d");
      pen.translate(-box.x, -top);
      const paint = (levels, row, width) => paintLine(pen, levels, row, side.times, view, range, box, toY, width, state.fast);
      pen.globalAlpha = 0.35;
      for (const [row, colour] of raw ? of : []) {
        pen.fillStyle = pen.strokeStyle = colour;
        paint(raw, row, ratio);
      }
      pen.globalAlpha = 1;
      for (const [row, colour, dash, chosen] of of) {
        pen.fillStyle = pen.strokeStyle = colour;
        pen.setLineDash((dash ?? []).map((length) => length * ratio));
        paint(scores, row, (chosen ? 2.2 : 1.6) * ratio);
      }
      kept = { canvas, about, scores: scores.levels[0].low, raw: raw?.levels[0].low };
      this.kept.set(side.name, kept);
    }
    this.pen.drawImage(kept.canvas, box.x, top);
  }

  // Where a score of a side lies in its lane, in CSS pixels, and back.
  scoreY(side, value) {
    const { y, height } = this.lanes[`scores${side.name}`];
    const { low, high } = side.axis;
    return y + 4 + (1 - (value - low) / (high - low)) * (height - 8);
  }

  scoreAtY(side, y) {
    const lane = this.lanes[`scores${side.name}`];
    const { low, high } = side.axis;
    return low + (1 - (y - lane.y - 4) / (lane.height - 8)) * (high - low);
  }

  // The rules of the thresholds of labels that are not hidden.
  shownRules(side, hidden) {
    const id = (name) => (side.name ? `${side.name} ${name}` : name);
    return side.rules.filter(({ row, name }) => row === null || !hidden.has(id(name)));
  }

  // The rule at that place, with its side; null where there is none that can be dragged.
  ruleAt({ x, y }, hidden) {
    if (!this.scene || x < this.left || x > this.left + this.plot) return null;
    let best = null;
    for (const side of this.scene.sides) {
      if (!side.thresholds || !this.lanes[`scores${side.name}`]) continue;
      for (const rule of this.shownRules(side, hidden)) {
        const far = Math.abs(this.scoreY(side, rule.value) - y);
        if (far <= (best?.far ?? GRAB)) best = { side, far, ...rule };
      }
    }
    return best;
  }

  // The middle of a true segment in its lane.
  truthY(segment) {
    const row = this.scene.truthRows.findIndex((list) => list.some((one) => isSame(one, segment)));
    return this.lanes.truth.y + (Math.max(row, 0) + 0.5) * this.heights.truth;
  }

  // The true segments of the row at `y`.
  truthAt(y) {
    const lane = this.lanes.truth;
    if (!lane || y < lane.y || y >= lane.y + lane.height) return [];
    return this.scene.truthRows[Math.floor((y - lane.y) / this.heights.truth)] ?? [];
  }

  // The edge of a true segment or of the marked range at that place, as {segment, side}; null where there is none.
  edgeAt({ x, y }, mark, selected) {
    const { overview } = this.lanes;
    if (!overview || x < this.left - GRAB || x > this.left + this.plot + GRAB || y >= overview.y) return null;
    let best = null;
    const consider = (far, reach, edge) => {
      if (far <= reach && far < (best?.far ?? Infinity)) best = { far, ...edge };
    };
    for (const segment of this.truthAt(y)) {
      const ends = [this.xOf(segment.start), this.xOf(segment.end)];
      const inside = x >= ends[0] && x <= ends[1];
      const reach = inside ? Math.min(GRAB, (ends[1] - ends[0]) / 4) : GRAB;
      const sooner = (inside ? 0.5 : 0) + (isSame(segment, selected) ? 1 : 0); // of two edges at one place
      ends.forEach((end, side) => consider(Math.abs(end - x) - sooner, reach, { segment, side }));
    }
    if (best) return best;
    mark.forEach((time, side) => {
      if (time !== null) consider(Math.abs(this.xOf(time) - x), GRAB, { segment: null, side });
    });
    return best;
  }

  // The name of a side, in the gutter.
  badge(words, y) {
    this.rect(2, y - 9, 18, 18, this.ink, 0.11);
    this.text(words, 11, y + 0.5, { align: "center", alpha: 1 });
  }

  // A side's labels that are not hidden, the chosen one last, so that it lies on top.
  labels({ chosen, hidden }, side, paint) {
    const top = this.scene.labels[chosen];
    const visible = this.scene.labels.filter((label) => label.side === side && !hidden.has(label.id));
    for (const label of visible) if (label !== top) paint(label, false);
    if (visible.includes(top)) paint(top, true);
  }

  drawSegments({ chosen, hidden, keys }, side) {
    const { scene, pen, ratio, lanes, view, box, row: high } = this;
    const lane = lanes[`segments${side.name}`];
    const { first, last } = this.rowsOf(side);
    scene.labels.slice(first, last).forEach((label, index) => {
      const row = first + index;
      const y = lane.y + index * high;
      const dim = hidden.has(label.id);
      const key = keys && row < 9 ? 14 : 0; // held while the video plays, it paints ground truth
      if (key) this.text(String(row + 1), 3, y + high / 2, { alpha: 0.6 });
      this.text(label.name, this.left - 8, y + high / 2, {
        align: "right", alpha: dim ? 0.35 : row === chosen ? 1 : 0.72, most: this.left - 10 - key,
      });
      if (row === chosen) this.rect(this.left - 4, y + 2, 2.5, high - 4, label.colour);
      this.rect(this.left, y + 1, this.plot, high - 2, this.ink, 0.045);
      pen.globalAlpha = dim ? 0.3 : 1;
      pen.fillStyle = label.colour;
      const least = this.large ? SEEN_PX * ratio : 1;
      paintBars(pen, scene.segments[row], view, box, Math.round((y + 2) * ratio), Math.round((high - 4) * ratio), least);
      pen.globalAlpha = 1;
      if (side.wrong) this.drawWrong(side.wrong[index], { y: y + 1, height: high - 2 });
    });
  }

  // Hatches where found and true differ: over a bar what isn't true, beside it what isn't found.
  drawWrong({ start, end }, row) {
    const { view } = this;
    this.clip(row, () => {
      start.forEach((from, index) => {
        if (end[index] < view.start || from > view.end) return;
        const x = this.xOf(from);
        this.stripes(x, Math.max(this.xOf(end[index]), x + (this.large ? SEEN_PX : 1)), row, 0.8, 1.6);
      });
    });
  }

  drawTruth({ truth: selected }) {
    const { scene, pen, ratio, lanes, view } = this;
    const lane = lanes.truth;
    this.title("truth", lane);
    this.clip(lane, () => {
      scene.truthRows.forEach((list, index) => {
        const y = lane.y + index * this.heights.truth + 1;
        const high = this.heights.truth - 2;
        for (const segment of list) {
          const { label, colour, start, end } = segment;
          if (end < view.start || start > view.end) continue;
          const x0 = this.xOf(start);
          const x1 = this.xOf(end);
          this.rect(x0, y, Math.max(x1 - x0 - 1, 1), high, colour ?? "#808080", 0.3);
          pen.strokeStyle = colour ?? "#808080";
          pen.lineWidth = (isSame(segment, selected) ? 2.5 : 1) * ratio;
          pen.strokeRect((x0 + 0.5) * ratio, (y + 0.5) * ratio, Math.max(x1 - x0 - 2, 0.5) * ratio, (high - 1) * ratio);
          const from = Math.max(x0, this.left);
          const room = Math.min(x1, this.left + this.plot) - from - 10;
          if (room > 14) this.text(label, from + 5, y + high / 2 + 0.5, { alpha: 0.9, most: room });
        }
      });
    });
  }

  // Hatches a side's time without samples, over the lines that would cross it.
  drawGaps({ gaps }, lane) {
    if (!lane) return;
    const { view } = this;
    this.clip(lane, () => {
      for (const [start, end] of gaps) {
        if (end >= view.start && start <= view.end) this.hatch(this.xOf(start), this.xOf(end), lane);
      }
    });
  }

  hatch(x0, x1, lane) {
    const width = Math.max(x1 - x0, 1); // a short gap is seen as well
    this.rect(x0, lane.y, width, lane.height, this.paper);
    this.rect(x0, lane.y, width, lane.height, this.ink, 0.07);
    this.stripes(x0, x0 + width, lane, 0.4, 1);
  }

  stripes(x0, x1, { y, height }, alpha, thick) {
    const { pen, ratio } = this;
    const width = x1 - x0;
    pen.save();
    pen.beginPath();
    pen.rect(x0 * ratio, y * ratio, width * ratio, height * ratio);
    pen.clip();
    pen.globalAlpha = alpha;
    pen.strokeStyle = this.ink;
    pen.lineWidth = thick * ratio;
    pen.beginPath();
    const from = Math.max(x0, this.left) - height;
    const to = Math.min(x0 + width, this.left + this.plot);
    for (let x = Math.floor(from / HATCH) * HATCH; x < to; x += HATCH) {
      pen.moveTo(x * ratio, (y + height) * ratio);
      pen.lineTo((x + height) * ratio, y * ratio);
    }
    pen.stroke();
    pen.restore();
  }

  drawChange(range) {
    const { scene, pen, ratio, lanes, view, box } = this;
    const lane = lanes.change;
    this.title("change", lane);
    this.rect(this.left, lane.y + lane.height - 1, this.plot, 1 / ratio, this.ink, 0.25);
    if (!range) return;
    this.clip(lane, (top, high) => {
      const y = (value) => top + high - (value / scene.changePeak) * (high - 7 * ratio);
      pen.fillStyle = "#808080";
      pen.globalAlpha = 0.55;
      paintArea(pen, scene.change, scene.times, view, range, { ...box, bottom: top + high }, y);
      pen.globalAlpha = 1;
      pen.fillStyle = SPIKE;
      let last = -9;
      for (const index of scene.spikes) {
        if (index < range[0] || index > range[1]) continue;
        const x = Math.round(this.xOf(scene.times[index]) * ratio);
        if (x - last < 3 * ratio) continue;
        last = x;
        pen.beginPath();
        pen.moveTo(x - 3.5 * ratio, top);
        pen.lineTo(x + 3.5 * ratio, top);
        pen.lineTo(x, top + 5.5 * ratio);
        pen.fill();
      }
    });
  }

  // The span that is played and the marked range, across all lanes.
  drawMarks({ span, mark }) {
    const { lanes, view } = this;
    const foot = lanes.overview.y - GAP;
    const across = (start, end, colour, alpha) => {
      if (end < view.start || start > view.end) return;
      const x0 = Math.max(this.left, this.xOf(start));
      const x1 = Math.min(this.left + this.plot, this.xOf(end));
      this.rect(x0, 0, x1 - x0, foot, colour, alpha);
    };
    if (span) across(span.start, span.end, this.accent, 0.1);
    if (!mark) return;
    const [start, end] = mark;
    if (start !== null && end !== null) across(start, end, "#E69F00", 0.16);
    for (const [time, side] of [[start, 1], [end, -1]]) {
      if (time === null || time < view.start - 1e-9 || time > view.end + 1e-9) continue;
      const x = this.xOf(time);
      this.rect(x - 1, 0, 2, foot, "#C77700");
      for (const y of [0, foot - 2]) this.rect(side > 0 ? x : x - 7, y, 7, 2, "#C77700");
    }
  }

  drawOverview() {
    const { scene, pen, ratio, lanes, view, box } = this;
    const { y, height } = lanes.overview;
    const whole = { start: view.first, end: view.last, span: view.duration };
    this.title(view.whole ? "whole video" : `${formatTime(view.start)} – ${formatTime(view.end)}`, lanes.overview);
    this.rect(this.left, y, this.plot, height, this.ink, 0.06);
    for (const [start, end] of scene?.sides[0].gaps ?? []) this.hatch(this.stripX(start), this.stripX(end), lanes.overview);
    if (scene) {
      const each = (height - 6) / Math.max(scene.labels.length, 1);
      scene.labels.forEach((label, row) => {
        pen.fillStyle = label.colour;
        const top = Math.round((y + 3 + row * each) * ratio);
        paintBars(pen, scene.segments[row], whole, box, top, Math.max(1, Math.floor((each - 0.5) * ratio)));
      });
    }
    if (view.whole) return;
    const x0 = this.stripX(view.start);
    const x1 = Math.max(this.stripX(view.end), x0 + 4);
    this.rect(this.left, y, x0 - this.left, height, this.paper, 0.66);
    this.rect(x1, y, this.left + this.plot - x1, height, this.paper, 0.66);
    pen.strokeStyle = this.ink;
    pen.lineWidth = 1.5 * ratio;
    pen.strokeRect(x0 * ratio, (y + 0.75) * ratio, (x1 - x0) * ratio, (height - 1.5) * ratio);
  }
}
