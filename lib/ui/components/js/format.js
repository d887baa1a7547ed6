// Times and scores as text, as lib/core/formatting.py writes them.

export function formatTime(seconds, decimals = 1) {
  const unit = 10 ** decimals;
  const ticks = Math.round(Math.max(0, seconds) * unit);
  const whole = Math.floor(ticks / unit);
  const tail = String(whole % 60).padStart(2, "0") + (decimals ? "." + String(ticks % unit).padStart(decimals, "0") : "");
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

export const formatScore = (score) => score.toFixed(3).replace("-", "−");

export const formatLength = (seconds) => (seconds < 60 ? `${seconds.toFixed(1)} s` : formatTime(seconds, 0));
