// What a person can do with the player, whether by pointer, key or button.

import { formatTime } from "./format.js";

const FRAME_EDGE_S = 0.0005; // a time rounded down to microseconds would show the frame before
const FRAME_S = 1 / 25; // a step where there are no samples

const startOf = ({ start }) => start + (start ? FRAME_EDGE_S : 0);
const rangeOf = ({ start, end }) => `${formatTime(start)} to ${formatTime(end)}`;

export class Commands {
  constructor(player) {
    this.player = player;
  }

  seek(time) {
    const { playback, gestures, view } = this.player;
    playback.span = null;
    playback.go(time);
    if (!gestures.drag && view.reveal(time, 0.5)) this.player.viewChanged();
    this.player.redraw();
  }

  // To the previous (-1) or next (1) sample.
  step(direction) {
    const { playback, lanes: { scene } } = this.player;
    const { time } = playback;
    if (playback.playing) playback.video.pause();
    if (!scene?.times.length) return this.seek(time + direction * FRAME_S);
    const current = scene.sampleAt(time);
    const between = direction < 0 && time > scene.times[current] + 0.02; // first to the beginning of this one
    const index = Math.min(Math.max(0, between ? current : current + direction), scene.times.length - 1);
    return this.seek(scene.times[index] + (index ? FRAME_EDGE_S : 0));
  }

  // To the previous (-1) or next (1) segment of the chosen label; by shots where wanted, or where there is no label.
  toSegment(direction, byShots) {
    const { player } = this;
    const { scene } = player.lanes;
    if (byShots || !scene?.labels[player.row]) return this.toShot(direction);
    const segment = scene.neighbour(player.row, player.playback.time, direction);
    if (!segment) {
      player.announce(`No ${direction > 0 ? "further" : "earlier"} segment of ${player.chosen}.`);
      return true;
    }
    this.seek(startOf(segment));
    player.announce(`${player.chosen}, segment ${segment.index + 1} of ${segment.count}: ${rangeOf(segment)}`);
    return true;
  }

  // To the previous (-1) or next (1) segment of the chosen label, whether found or true.
  toAnySegment(direction) {
    const { player } = this;
    const { lanes: { scene }, playback: { time }, row } = player;
    if (!scene) return false;
    const label = scene.labels[row];
    const found = label ? scene.neighbour(row, time, direction) : null;
    const truth = scene.trueNeighbour(label?.key ?? null, time, direction);
    const whose = label ? ` of ${player.chosen}` : "";
    if (!found && !truth) {
      player.announce(`No ${direction > 0 ? "further" : "earlier"} segment${whose}, found or true.`);
      return true;
    }
    const near = [found, truth].filter(Boolean).sort((a, b) => direction * (a.start - b.start))[0];
    const same = (one) => one && Math.abs(one.start - near.start) < 1e-3;
    this.seek(startOf(near));
    player.truth.select(same(truth) ? truth.segment : null);
    const say = (kind, { start, end, index, count }) => `${kind} segment ${index + 1} of ${count}: ${rangeOf({ start, end })}`;
    const words = [same(found) && say("found", found), same(truth) && say("true", truth)].filter(Boolean).join("; ");
    player.announce(`${label ? player.chosen : truth.segment.label}, ${words}`);
    return true;
  }

  // A click in the lane of ground truth chooses a segment, whose edges then have handles.
  clickTruth({ x, y }) {
    const { lanes, truth, data: { presented } } = this.player;
    if (presented) return; // an audience edits nothing
    const time = lanes.timeAt(x);
    truth.select(lanes.truthAt(y).find(({ start, end }) => time >= start && time < end) ?? null);
  }

  // To the previous (-1) or next (1) cut.
  toShot(direction) {
    const { player } = this;
    const { scene } = player.lanes;
    if (!scene?.times.length) return false;
    const shot = scene.nextShot(player.playback.time, direction);
    if (!shot) {
      player.announce(`No ${direction > 0 ? "further" : "earlier"} shot.`);
      return true;
    }
    this.seek(startOf(shot));
    player.announce(`Shot ${shot.index + 1} of ${shot.count}: ${rangeOf(shot)}`);
    return true;
  }

  // In a comparison: to the next (1) or previous (-1) place where both sides differ.
  toDifference(direction) {
    const { player } = this;
    const { scene } = player.lanes;
    if (!scene?.differences) return false;
    const difference = scene.nextDifference(player.playback.time, direction);
    if (!difference) {
      player.announce("No differences.");
      return true;
    }
    this.seek(startOf(difference));
    const { index, count, around } = difference;
    const { a, b } = scene.differences;
    const sides = `A ${a[index]?.name ?? "nothing"}, B ${b[index]?.name ?? "nothing"}`;
    const turned = around ? `Around the ${direction > 0 ? "end" : "beginning"}. ` : "";
    player.announce(`${turned}Difference ${index + 1} of ${count}, ${rangeOf(difference)}: ${sides}`);
    return true;
  }

  // A click in the lane of differences plays that one only.
  clickDifference(time) {
    const { scene } = this.player.lanes;
    const index = scene.differenceAt(time);
    if (index < 0) return;
    const { start, end } = scene.differences;
    this.player.playback.playSpan({ start: start[index], end: end[index] });
  }

  // A click in the lane of segments: on a bar plays that one only, on a name chooses the label.
  clickSegment(row, time) {
    const { scene } = this.player.lanes;
    if (!scene?.labels[row]) return;
    this.choose(row);
    const index = time === null ? -1 : scene.segmentAt(row, time);
    if (index < 0) return;
    const { start, end } = scene.segments[row];
    this.player.playback.playSpan({ start: start[index], end: end[index] });
  }

  choose(row) {
    const { player } = this;
    player.row = row;
    player.memory.chosen = player.chosen;
    player.redraw();
    player.reportSoon();
  }

  // Shows or hides the line of a label.
  hide(id) {
    const { hidden } = this.player.memory;
    if (!hidden.delete(id)) hidden.add(id);
    this.player.redraw();
  }

  // Marks the start (0) or the end (1) of a range at the playhead.
  setMark(side) {
    const { player } = this;
    const mark = [...player.memory.mark];
    mark[side] = player.playback.time;
    if (mark[0] !== null && mark[1] !== null && mark[1] <= mark[0]) mark[1 - side] = null;
    player.memory.mark = mark;
    player.announce(`Marked the ${side ? "end" : "start"} at ${formatTime(mark[side])}`);
    player.redraw();
    player.reportSoon();
  }

  // Has Python add the marked range, or what begins here, to the ground truth, with the chosen label.
  addTruth(time = this.player.playback.time) {
    const { player } = this;
    const label = player.lanes.scene?.labels[player.row]?.name ?? null;
    const chosen = player.memory.chosen !== null;
    player.truth.send({ kind: "mark", label, chosen, mark: player.selection.mark, time_s: time });
  }

  clearMark() {
    this.player.memory.mark = [null, null];
    this.player.redraw();
    this.player.reportSoon();
  }

  // Loops the span that is played on its own; else the marked range; else the whole video.
  toggleLoop() {
    const { memory, playback } = this.player;
    memory.loop = !memory.loop;
    const [start, end] = memory.mark;
    if (memory.loop && !playback.span && start !== null && end !== null) playback.playSpan({ start, end });
    const what = playback.span ? rangeOf(playback.span) : "the whole video";
    this.player.announce(memory.loop ? `Looping ${what}` : "Loop off");
    this.player.showPlayState();
  }

  toggleSound() {
    const { video } = this.player.playback;
    video.muted = !video.muted;
  }

  toggleSees() {
    const { memory } = this.player;
    memory.sees = !memory.sees;
    this.player.showSees();
    this.player.announce(memory.sees ? "Outline of what the model sees on" : "Outline of what the model sees off");
  }

  showAll() {
    this.player.view.reset();
    this.player.viewChanged();
  }

  toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.player.elements[0].requestFullscreen?.();
  }

  zoomAtPlayhead(factor) {
    const { view, playback } = this.player;
    const inside = playback.time >= view.start && playback.time <= view.end;
    view.zoom(inside ? playback.time : (view.start + view.end) / 2, factor);
    this.player.viewChanged();
  }

  // To a tenth of the video.
  toTenth(tenth) {
    const { playback } = this.player;
    this.seek(playback.first + ((playback.end - playback.first) * tenth) / 10);
  }

  // Escape lets go of the chosen ground truth, then of the span that is played on its own, the marks, the zoom.
  clear() {
    const { playback, memory, view, truth } = this.player;
    if (truth.selected) truth.select(null);
    else if (playback.span) playback.span = null;
    else if (memory.mark.some((time) => time !== null)) this.clearMark();
    else if (!view.whole) view.reset();
    else return false;
    this.player.viewChanged();
    return true;
  }

  help() {
    const { sheet } = this.player;
    if (sheet.open) sheet.close();
    else sheet.showModal();
  }
}
