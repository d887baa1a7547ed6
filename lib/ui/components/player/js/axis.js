// Round times along the ruler: multiples of 15 s, not of 20 s; the same steps as the charts (lib/charts/layers.py).

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const FINE = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05];
const EVERY_PX = 80;

export function timeTicks(start, end, width) {
  const least = ((end - start) * EVERY_PX) / Math.max(width, 1);
  const step = [...FINE, ...STEPS].find((seconds) => seconds >= least) ?? STEPS.at(-1) * Math.ceil(least / STEPS.at(-1));
  const decimals = step < 0.01 ? 3 : step < 0.1 ? 2 : 1;
  const times = [];
  for (let index = Math.ceil(start / step - 1e-9); index * step <= end + 1e-9; index += 1) times.push(index * step);
  return { times, decimals };
}
