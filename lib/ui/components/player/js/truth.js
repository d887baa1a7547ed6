// Ground truth as it is edited in the lanes. An edit is drawn at once and sent to Python, which checks it; it stays on
// top of what Python sends until Python has answered it.
//   {kind: "mark", label, chosen, mark, time_s}      the key T
//   {kind: "paint", label, span}                     a key held while the video plays
//   {kind: "move", label, before, after}             a segment with another edge; `after` null removes it

import { formatTime } from "./format.js";
import { snapped } from "./snap.js";

const LEAST_S = 0.02; // the shortest a segment is dragged to
const SNAP_PX = 8;

const micro = (time) => Math.round(time * 1e6) / 1e6;
export const isSame = (one, other) => (
  Boolean(one && other) && one.label === other.label && one.start === other.start && one.end === other.end
);

// The segments with an edit, in order of time; `colour` and `key` are those of its label.
export function edited(segments, { kind, label, key, colour, span, before, after }) {
  if (kind === "move") {
    const place = segments.findIndex((one) => isSame(one, { label, start: before[0], end: before[1] }));
    if (place < 0) return segments;
    const moved = after ? [{ ...segments[place], start: after[0], end: after[1] }] : [];
    return inOrder([...segments.slice(0, place), ...moved, ...segments.slice(place + 1)]);
  }
  if (kind !== "paint") return segments;
  const touches = (one) => one.key === key && one.start <= span[1] && one.end >= span[0];
  const joined = segments.filter(touches);
  const start = Math.min(span[0], ...joined.map((one) => one.start));
  const end = Math.max(span[1], ...joined.map((one) => one.end));
  const one = { ...(joined[0] ?? { label, key, colour }), start, end };
  return inOrder([...segments.filter((other) => !touches(other)), one]);
}

const inOrder = (segments) => segments.sort((a, b) => a.start - b.start || a.end - b.end);

export class TruthEditing {
  constructor(player) {
    this.player = player;
    this.pending = []; // sent, not answered
    this.drafts = new Map(); // not sent yet: of the edge that is dragged, and of each key that is held
    this.selected = null; // the segment with handles
  }

  // What Python sent, with all that was done since.
  shown(segments) {
    return [...this.pending, ...this.drafts.values()].reduce(edited, segments);
  }

  get segments() {
    return this.player.lanes.scene?.truth ?? [];
  }

  // Python has drawn some.
  answered() {
    this.pending = this.pending.filter(({ number }) => number > this.player.edits.answered);
  }

  draft(name, edit) {
    if (edit) this.drafts.set(name, edit);
    else if (!this.drafts.delete(name)) return;
    this.player.showTruth();
  }

  send({ key, colour, ...edit }) {
    const number = this.player.edits.send(edit);
    if (edit.kind !== "mark") this.pending.push({ ...edit, key, colour, number });
  }

  // --- the chosen segment

  select(segment) {
    this.selected = segment;
    const row = this.player.lanes.scene?.labels.findIndex(({ key }) => key === segment?.key) ?? -1;
    if (row >= 0 && this.player.lanes.scene.labels[this.player.row]?.key !== segment.key) this.player.commands.choose(row);
    this.player.redraw();
  }

  // Handles are for what is there.
  check() {
    if (this.selected && !this.segments.some((one) => isSame(one, this.selected))) this.selected = null;
  }

  remove() {
    const segment = this.selected;
    if (!segment) return false;
    this.commit();
    this.selected = null;
    this.send({ kind: "move", label: segment.label, before: [segment.start, segment.end], after: null });
    this.player.showTruth();
    this.player.announce(`${segment.label}, ${rangeOf(segment)}, removed from the ground truth`);
    return true;
  }

  // --- edges: of a segment of ground truth, or of the marked range (`segment` null). `side` 0 is the start.

  snap(time) {
    const { lanes, view } = this.player;
    return snapped(lanes.scene, view, time, (SNAP_PX / lanes.plot) * view.span);
  }

  // Moves an edge to `time`, as far as its other one lets it. `freely`: not to a cut or sample near by.
  move({ segment, side }, time, freely) {
    const { player } = this;
    const { view, playback } = player;
    const wanted = freely ? time : this.snap(time);
    const ends = segment ? this.endsOf(segment) : [...player.memory.mark];
    const other = ends[1 - side];
    const inside = Math.min(Math.max(wanted, view.first), view.last);
    const limit = other === null ? inside : side ? Math.max(inside, other + LEAST_S) : Math.min(inside, other - LEAST_S);
    ends[side] = micro(limit);
    if (!playback.playing) playback.go(side ? Math.max(view.first, ends[1] - 0.002) : ends[0]); // the frame at the edge
    if (!segment) {
      player.memory.mark = ends;
      player.redraw();
      return;
    }
    const before = this.drafts.get("edge")?.before ?? [segment.start, segment.end];
    this.selected = { ...segment, start: ends[0], end: ends[1] };
    this.draft("edge", { kind: "move", label: segment.label, before, after: ends });
  }

  // The ends of a segment, as they are while it is dragged.
  endsOf(segment) {
    return [...(this.drafts.get("edge")?.after ?? [segment.start, segment.end])];
  }

  // Once an edge is let go of.
  commit(cancelled = false) {
    const edit = this.drafts.get("edge");
    this.player.reportSoon();
    if (!edit) return;
    this.drafts.delete("edge");
    const { label, before, after } = edit;
    if (cancelled) this.selected = this.selected && { ...this.selected, start: before[0], end: before[1] };
    else if (before[0] !== after[0] || before[1] !== after[1]) {
      this.send(edit);
      this.player.announce(`${label}, now ${rangeOf({ start: after[0], end: after[1] })}`);
    }
    this.player.showTruth();
  }
}

const rangeOf = ({ start, end }) => `${formatTime(start, 2)} to ${formatTime(end, 2)}`;
