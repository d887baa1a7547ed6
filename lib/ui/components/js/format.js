// Times and scores as text, as lib/core/formatting.py writes them.

export function formatTime(seconds, decimals = 1) {
  const unit = 10 ** decimals;
  const ticks = halfEven(Math.abs(seconds) * unit);
  const whole = Math.floor(ticks / unit);
  const tail = String(whole % 60).padStart(2, "0") + (decimals ? "." + String(ticks % unit).padStart(decimals, "0") : "");
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  const sign = seconds < 0 && ticks ? "-" : "";
  return sign + (hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`);
}

// A length of time as `format_duration` writes it.
export function formatDuration(seconds) {
  const tenths = formatFixed(seconds, 1);
  if (Number(tenths) < 60) return `${tenths} s`;
  const whole = halfEven(seconds);
  const [unit, big, small] = whole < 3600 ? ["min", 60, "s"] : ["h", 3600, "min"];
  const rest = Math.floor((whole % big) / (big / 60));
  return `${Math.floor(whole / big)} ${unit} ${String(rest).padStart(2, "0")} ${small}`;
}

// A share in whole percent, as `percent` writes it.
export function formatPercent(share) {
  if (share > 0 && share < 0.005) return "under 1 %";
  if (share >= 0.995 && share < 1 - 1e-9) return "over 99 %";
  return `${formatFixed(share * 100, 0)} %`;
}

// As `toFixed`, but halves go to the even digit, as in Python.
export function formatFixed(value, decimals) {
  const text = value.toFixed(decimals);
  const [, digits = ""] = Math.abs(value).toFixed(50).split("."); // exact, for all that is written here
  if (!/^50*$/.test(digits.slice(decimals))) return text;
  const half = Math.floor(Math.abs(value) * 10 ** decimals); // an exact half is one as a number, too
  return (value < 0 ? "-" : "") + ((half + (half % 2)) / 10 ** decimals).toFixed(decimals);
}

function halfEven(value) {
  const whole = Math.floor(value);
  if (value - whole !== 0.5) return Math.round(value);
  return whole + (whole % 2);
}

export const formatScore = (score) => score.toFixed(3).replace("-", "−");

export const formatLength = (seconds) => (seconds < 60 ? `${seconds.toFixed(1)} s` : formatTime(seconds, 0));
