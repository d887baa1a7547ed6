// What is said of a label in its row of the prompt table, as `Analysis.answers` has it, for a threshold that is dragged.

import { formatDuration, formatFixed, formatPercent, formatTime } from "./format.js";

const ROUGHLY = 1e-10; // more than the sum of a million floating-point numbers can be wrong by
const MINUS = (text) => text.replaceAll("-", "−");

// `label`: rest, peak (its highest score, or null). `segments`: start, end, tried (whether any sample had the label before
// the minimum duration and merging). `side`: length (of the video in seconds), decision.
export function answer({ rest, peak }, { start, end, tried }, threshold, { length, decision }) {
  if (!start.length) return `not found (${whyNot(rest, peak, tried, threshold, decision)})`;
  const say = (seconds) => {
    const share = formatPercent(length > 0 ? seconds / length : 0);
    return rest ? `rest: ${share}` : `${formatDuration(seconds)}, ${share}, first ${formatTime(start[0])}`;
  };
  let rough = 0;
  for (let index = 0; index < start.length; index += 1) rough += end[index] - start[index];
  const words = say(rough * (1 - ROUGHLY));
  return words === say(rough * (1 + ROUGHLY)) ? words : say(sum(start.map((from, index) => end[index] - from)));
}

function whyNot(rest, peak, tried, threshold, { decision, shortest }) {
  if (peak === null) return "there are no samples";
  const below = decision !== "best" && peak < threshold;
  let decimals = 2;
  while (below && decimals < 6 && formatFixed(peak, decimals) === formatFixed(threshold, decimals)) decimals += 1;
  const best = MINUS(`best score ${formatFixed(peak, decimals)}`);
  if (below) return `${best}, threshold ${MINUS(formatFixed(threshold, decimals))}`;
  if (!tried) return best;
  return rest ? `${best}, only in gaps that were merged or pieces that were too short`
    : `${best}, only in pieces shorter than ${shortest} s`;
}

// The exact sum, rounded once, as Python's `math.fsum`: else a half could be rounded the other way.
function sum(values) {
  const parts = []; // none overlaps another, smallest first
  for (let value of values) {
    let count = 0;
    for (let part of parts) {
      if (Math.abs(value) < Math.abs(part)) [value, part] = [part, value];
      const high = value + part;
      const low = part - (high - value);
      if (low) parts[count++] = low;
      value = high;
    }
    parts.length = count;
    parts.push(value);
  }
  let total = parts.pop() ?? 0;
  let low = 0;
  while (parts.length && !low) {
    const part = parts.pop();
    const high = total + part;
    low = part - (high - total);
    total = high;
  }
  const next = parts.at(-1) ?? 0;
  const whole = total + 2 * low; // of a half, the parts left over tell the way
  return low * next > 0 && whole - total === 2 * low ? whole : total;
}
