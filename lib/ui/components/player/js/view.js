// The part of the video that the lanes show: [start, end] in seconds, inside [0, duration].

const LEAST_S = 0.2;

export class View {
  constructor() {
    this.duration = 0;
    this.start = 0;
    this.end = 0;
  }

  get span() {
    return this.end - this.start;
  }

  get whole() {
    return this.span >= this.duration - 1e-6;
  }

  // Another length: a view of the whole stays one.
  resize(duration) {
    const whole = this.whole;
    this.duration = duration;
    if (whole) this.show(0, duration);
    else this.show(this.start, this.end);
  }

  show(start, end) {
    const span = Math.min(Math.max(end - start, LEAST_S), this.duration);
    this.start = Math.min(Math.max(0, start + (end - start - span) / 2), this.duration - span);
    this.end = this.start + span;
  }

  reset() {
    this.show(0, this.duration);
  }

  // Make the view `factor` times as long; `time` stays where it is on screen.
  zoom(time, factor) {
    const span = Math.min(Math.max(this.span * factor, LEAST_S), this.duration);
    const share = (time - this.start) / (this.span || 1);
    const start = Math.min(Math.max(0, time - share * span), this.duration - span);
    this.start = start;
    this.end = start + span;
  }

  pan(seconds) {
    const start = Math.min(Math.max(0, this.start + seconds), this.duration - this.span);
    this.end = start + this.span;
    this.start = start;
  }

  // Turn the page so that `time` is seen; `lead` is where it comes to lie, as a share of the width.
  reveal(time, lead) {
    if (this.whole || (time >= this.start && time <= this.end)) return false;
    this.pan(time - lead * this.span - this.start);
    return true;
  }
}
