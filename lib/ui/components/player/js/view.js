// The part of the video that the lanes show: [start, end] in seconds, inside [first, last], where the video is.

const LEAST_S = 0.2;

export class View {
  constructor() {
    this.first = 0;
    this.last = 0;
    this.start = 0;
    this.end = 0;
  }

  get duration() {
    return this.last - this.first;
  }

  get span() {
    return this.end - this.start;
  }

  get whole() {
    return this.span >= this.duration - 1e-6;
  }

  // Another length: a view of the whole stays one.
  resize(first, last) {
    const whole = this.whole;
    Object.assign(this, { first, last });
    if (whole) this.reset();
    else this.show(this.start, this.end);
  }

  show(start, end) {
    const span = Math.min(Math.max(end - start, LEAST_S), this.duration);
    this.start = this.inside(start + (end - start - span) / 2, span);
    this.end = this.start + span;
  }

  reset() {
    this.show(this.first, this.last);
  }

  // Where a view `span` long begins that should begin at `start`.
  inside(start, span) {
    return Math.min(Math.max(this.first, start), this.last - span);
  }

  // Make the view `factor` times as long; `time` stays where it is on screen.
  zoom(time, factor) {
    const span = Math.min(Math.max(this.span * factor, LEAST_S), this.duration);
    const share = (time - this.start) / (this.span || 1);
    const start = this.inside(time - share * span, span);
    this.start = start;
    this.end = start + span;
  }

  pan(seconds) {
    const start = this.inside(this.start + seconds, this.span);
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
