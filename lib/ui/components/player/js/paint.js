// Drawing over time: lines and areas reduced to one rectangle a pixel where samples are denser than pixels.

import { after } from "./scene.js";

const CHUNK = 16; // points stroked at a time: a long zigzag as one path takes Chromium four times as long
const FEW = 200; // points that are stroked well in any case

let lows = new Float32Array(0);
let highs = lows;

// Samples in view, with one more at each side so that lines reach the edges: [first, last].
export function inView(times, view) {
  const first = Math.max(0, after(times, view.start) - 1);
  return [first, Math.min(times.length - 1, after(times, view.end))];
}

// Fill `lows` and `highs` with the extremes of each pixel column; false where samples are sparse enough for a line.
function reduce(levels, row, times, view, columns, [first, last]) {
  const visible = last - first + 1;
  if (visible < columns * 1.5) return false;
  if (lows.length < columns) {
    lows = new Float32Array(columns);
    highs = new Float32Array(columns);
  }
  lows.fill(Infinity, 0, columns);
  highs.fill(-Infinity, 0, columns);
  const { low, high, count, span } = levels.pick(visible, columns);
  const scale = columns / view.span;
  const start = row * count;
  for (let bucket = Math.floor(first / span); bucket * span <= last; bucket += 1) {
    const x = Math.floor((times[bucket * span] - view.start) * scale);
    const column = x < 0 ? 0 : x >= columns ? columns - 1 : x;
    if (low[start + bucket] < lows[column]) lows[column] = low[start + bucket];
    if (high[start + bucket] > highs[column]) highs[column] = high[start + bucket];
  }
  return true;
}

// Whether a pixel column falls between two dashes; without dashes none does.
function inGap(dash, column) {
  let left = column % dash.reduce((sum, length) => sum + length, 0);
  for (let part = 0; part < dash.length; part += 1) {
    if (left < dash[part]) return part % 2 === 1;
    left -= dash[part];
  }
  return false;
}

// One line of `levels`, in device pixels; `toY` maps a value to y. `fast`, while the view moves, draws lines of a pixel
// beside each other, which takes a tenth of the time of one thick line.
export function paintLine(pen, levels, row, times, view, range, box, toY, width, fast) {
  const { x: left, width: columns } = box;
  const dash = pen.getLineDash();
  if (reduce(levels, row, times, view, columns, range)) {
    const half = width / 2;
    let beforeTop = NaN;
    let beforeBottom = NaN;
    for (let column = 0; column < columns; column += 1) {
      let top = beforeTop;
      let bottom = beforeBottom;
      if (highs[column] >= lows[column]) {
        top = toY(highs[column]);
        bottom = toY(lows[column]);
        const [ownTop, ownBottom] = [top, bottom];
        if (top > beforeBottom) top = beforeBottom; // reach up to the column before, so that the line holds together
        else if (bottom < beforeTop) bottom = beforeTop;
        [beforeTop, beforeBottom] = [ownTop, ownBottom];
      } else if (Number.isNaN(top)) continue;
      if (inGap(dash, column)) continue;
      const y = Math.round(top - half);
      pen.fillRect(left + column, y, 1, Math.max(Math.round(bottom + half) - y, 1));
    }
    return;
  }
  const scale = columns / view.span;
  const { levels: all, count } = levels;
  const values = all[0].low;
  const x = (index) => left + (times[index] - view.start) * scale;
  const y = (index) => toY(values[row * count + index]);
  if (fast && range[1] - range[0] > FEW) {
    const path = new Path2D();
    for (let index = range[0]; index <= range[1]; index += 1) path.lineTo(x(index), y(index));
    const passes = Math.max(1, Math.round(width));
    pen.lineWidth = 1;
    pen.save();
    pen.translate(0, -(passes - 1) / 2);
    for (let pass = 0; pass < passes; pass += 1) {
      pen.stroke(path);
      pen.translate(0, 1);
    }
    pen.restore();
    return;
  }
  pen.lineWidth = width;
  pen.lineJoin = "bevel";
  const chunk = dash.length ? Infinity : CHUNK; // dashes begin anew with each path
  for (let start = range[0]; start < range[1]; start += chunk) {
    pen.beginPath();
    for (let index = start; index <= Math.min(start + chunk, range[1]); index += 1) pen.lineTo(x(index), y(index));
    pen.stroke();
  }
}

// The area under a row of `levels`, from the bottom of the box.
export function paintArea(pen, levels, times, view, range, box, toY) {
  const { x: left, width: columns, bottom } = box;
  if (reduce(levels, 0, times, view, columns, range)) {
    for (let column = 0; column < columns; column += 1) {
      if (highs[column] === -Infinity) continue;
      const y = Math.round(toY(highs[column]));
      pen.fillRect(left + column, y, 1, bottom - y);
    }
    return;
  }
  const scale = columns / view.span;
  const values = levels.levels[0].high;
  pen.beginPath();
  pen.moveTo(left + (times[range[0]] - view.start) * scale, bottom);
  for (let index = range[0]; index <= range[1]; index += 1) {
    pen.lineTo(left + (times[index] - view.start) * scale, toY(values[index]));
  }
  pen.lineTo(left + (times[range[1]] - view.start) * scale, bottom);
  pen.fill();
}

// Intervals as bars at least so many device pixels wide; neighbours that share a pixel become one.
export function paintBars(pen, { start, end }, view, box, y, height, least = 1) {
  const { x: left, width } = box;
  const scale = width / view.span;
  let from = -1;
  let to = -1;
  const flush = () => {
    if (to < 0) return;
    pen.fillRect(left + from, y, Math.max(to - from, 1), height);
  };
  for (let index = Math.max(0, after(start, view.start) - 1); index < start.length && start[index] < view.end; index += 1) {
    if (end[index] <= view.start) continue;
    const x0 = Math.max(0, Math.round((start[index] - view.start) * scale));
    const x1 = Math.min(width, Math.max(Math.round((end[index] - view.start) * scale), x0 + least));
    if (to >= 0 && x0 <= to && to - from < 3) to = Math.max(to, x1); // specks grow together
    else {
      flush();
      [from, to] = [x0, x1];
    }
  }
  flush();
}
