// What a person does with the instrument, by whatever means: pointer, keys, buttons.

import { formatLength, formatTime } from "./format.js";

export class Deeds {
  seek(time) {
    this.playback.span = null;
    this.playback.go(time);
    if (!this.gestures.drag && this.view.reveal(time, 0.5)) this.viewed();
    this.redraw();
  }

  // To the sample before or after; without samples a frame of 25 a second.
  step(direction) {
    const { scene } = this.lanes;
    const { time } = this.playback;
    if (this.playback.playing) this.playback.video.pause();
    if (!scene?.times.length) return this.seek(time + direction / 25);
    const here = scene.sampleAt(time);
    const between = direction < 0 && time > scene.times[here] + 0.02; // first to the beginning of this one
    const next = Math.min(Math.max(0, between ? here : here + direction), scene.times.length - 1);
    return this.seek(scene.times[next] + (next ? 0.0005 : 0));
  }

  toSegment(direction) {
    const { scene } = this.lanes;
    if (!scene?.labels[this.row]) return false;
    const found = scene.neighbour(this.row, this.playback.time, direction);
    if (!found) {
      this.say(`No ${direction > 0 ? "further" : "earlier"} segment of ${this.chosen}.`);
      return true;
    }
    this.seek(found.start + (found.start ? 0.0005 : 0));
    const span = `${formatTime(found.start)} to ${formatTime(found.end)}`;
    this.say(`${this.chosen}, segment ${found.index + 1} of ${found.count}: ${span}`);
    return true;
  }

  // In a comparison: to the next (1) or previous (-1) place where both sides differ.
  toDifference(direction) {
    const { scene } = this.lanes;
    if (!scene?.differences) return false;
    const found = scene.nextDifference(this.playback.time, direction);
    if (!found) {
      this.say(`No ${direction > 0 ? "further" : "earlier"} difference.`);
      return true;
    }
    this.seek(found.start + (found.start ? 0.0005 : 0));
    const { a, b } = scene.differences;
    const says = (label) => label?.name ?? "nothing";
    const span = `${formatTime(found.start)} to ${formatTime(found.end)}`;
    this.say(`Difference ${found.index + 1} of ${found.count}, ${span}: A ${says(a[found.index])}, B ${says(b[found.index])}`);
    return true;
  }

  // A click in the lane of differences plays just that one.
  clickDifference(time) {
    const { scene } = this.lanes;
    const index = scene.differenceAt(time);
    if (index < 0) return;
    const { start, end } = scene.differences;
    this.playback.playSpan({ start: start[index], end: end[index] });
  }

  // "Only differences": what both sides agree on isn't played.
  skipAgreement() {
    const { lanes: { scene }, playback, place } = this;
    if (!scene?.only || !playback.playing || playback.span || this.gestures.drag) return;
    const { start } = scene.differences;
    if (!start.length || scene.differenceAt(playback.time) >= 0) return;
    const next = start.find((time) => time > playback.time);
    if (next === undefined && !place.loop) playback.video.pause();
    else playback.go((next ?? start[0]) + 0.0005);
  }

  showDifferences() {
    const { differences } = this.lanes.scene ?? {};
    this.differences.hidden = !differences;
    const count = differences?.start.length ?? 0;
    const words = count === 1 ? "1 difference" : `${count.toLocaleString("en")} differences`;
    this.differences.querySelector("span").textContent = count ? words : "No difference";
    for (const button of this.differences.querySelectorAll("button")) button.disabled = !count;
  }

  // A click in the lane of segments: on a bar plays just it, on a name chooses the label.
  clickSegment(row, time) {
    const { scene } = this.lanes;
    if (!scene?.labels[row]) return;
    this.choose(row);
    const index = time === null ? -1 : scene.segmentAt(row, time);
    if (index < 0) return;
    const { start, end } = scene.segments[row];
    this.playback.playSpan({ start: start[index], end: end[index] });
  }

  choose(row) {
    this.row = row;
    this.place.chosen = this.chosen;
    this.redraw();
    this.settle();
  }

  hide(id) {
    const { hidden } = this.place;
    if (!hidden.delete(id)) hidden.add(id);
    this.redraw();
  }

  setMark(side) {
    const mark = [...this.place.mark];
    mark[side] = this.playback.time;
    if (mark[0] !== null && mark[1] !== null && mark[1] <= mark[0]) mark[1 - side] = null;
    this.place.mark = mark;
    this.say(side ? `Marked the end at ${formatTime(mark[1])}` : `Marked the start at ${formatTime(mark[0])}`);
    this.redraw();
    this.settle();
  }

  clearMark() {
    this.place.mark = [null, null];
    this.redraw();
    this.settle();
  }

  showMark() {
    const [start, end] = this.place.mark;
    let words = "";
    if (start !== null && end !== null) {
      words = `Marked ${formatTime(start, 2)} – ${formatTime(end, 2)} (${formatLength(end - start)})`;
    } else if (start !== null) words = `Start marked at ${formatTime(start, 2)}; “]” marks the end`;
    else if (end !== null) words = `End marked at ${formatTime(end, 2)}; “[” marks the start`;
    this.marked.hidden = !words;
    const text = this.marked.firstElementChild;
    if (text.textContent !== words) text.textContent = words;
  }

  // Loops what is played on its own; else the marked range; else the whole video.
  toggleLoop() {
    const { place, playback } = this;
    place.loop = !place.loop;
    const [start, end] = place.mark;
    if (place.loop && !playback.span && start !== null && end !== null) playback.playSpan({ start, end });
    const { span } = playback;
    const what = span ? `${formatTime(span.start)} to ${formatTime(span.end)}` : "the whole video";
    this.say(place.loop ? `Looping ${what}` : "Loop off");
    this.playState();
  }

  zoomAtPlayhead(factor) {
    const { view, playback } = this;
    const inside = playback.time >= view.start && playback.time <= view.end;
    view.zoom(inside ? playback.time : (view.start + view.end) / 2, factor);
    this.viewed();
  }

  // Escape lets go: first of what is played on its own, then of the marks, then of the zoom.
  clear() {
    if (this.playback.span) this.playback.span = null;
    else if (this.place.mark.some((time) => time !== null)) this.clearMark();
    else if (!this.view.whole) this.view.reset();
    else return false;
    this.viewed();
    return true;
  }

  help() {
    if (this.sheet.open) this.sheet.close();
    else this.sheet.showModal();
  }

  say(words) {
    this.news.textContent = words;
  }
}
