/** Numbers in words, with their units. */

export const TIERS = ["cheap", "balanced", "premium"];

const whole = new Intl.NumberFormat("en");

/** A number with thousands set apart. */
export function count(number) {
  return whole.format(number);
}

/** A number with its noun: "1 request", "2,000 requests". */
export function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** US dollars: as many decimals as it takes to see anything. */
export function usd(amount) {
  if (amount === null || amount === undefined) return "unknown";
  const size = Math.abs(amount);
  if (size > 0 && size < 0.000001) return "under $0.000001";
  const digits = size === 0 || size >= 1 ? 2 : size >= 0.01 ? 4 : 6;
  const told = size.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${amount < 0 ? "−" : ""}$${told}`;
}

/** An amount of a budget in its unit. */
export function amount(number, unit) {
  return unit === "usd" ? usd(number) : counted(number, "token");
}

/** A fraction as a percentage; small ones are not rounded away. */
export function percent(fraction) {
  if (fraction === null || fraction === undefined) return "–";
  const value = 100 * fraction;
  if (value > 0 && value < 0.1) return "under 0.1 %";
  return `${value < 10 && value % 1 > 0.05 ? value.toFixed(1) : value.toFixed(0)} %`;
}

/** A time that something took. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 0.01) return `${(1000 * seconds).toFixed(1)} ms`;
  if (seconds < 1) return `${(1000 * seconds).toFixed(0)} ms`;
  return seconds < 100 ? `${seconds.toPrecision(3)} s` : span(seconds);
}

/** A longer time: "4 s", "3 min", "2 h", "5 days". */
export function span(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

/** A moment by the clocks of a time zone. */
export function clock(at, zone) {
  const told = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: zone };
  try {
    return new Intl.DateTimeFormat("en-GB", told).format(1000 * at);
  } catch {
    return new Date(1000 * at).toISOString().slice(11, 19); // a zone that this browser does not know
  }
}

/** How much less or more one cost is than another: "12 % less", "3.1 times as much", "the same". */
export function compared(cost, other) {
  if (!(other > 0)) return cost === 0 ? "the same" : "not comparable";
  const ratio = cost / other;
  if (ratio >= 1.995) return `${ratio.toFixed(1)} times as much`;
  const change = Math.round(100 * Math.abs(1 - ratio));
  if (change === 0) return Math.abs(1 - ratio) < 1e-9 ? "the same" : "within 1 %";
  return `${change} % ${ratio < 1 ? "less" : "more"}`;
}

/** The name of a tier, of those that are none too. */
export function tierName(tier) {
  return TIERS.includes(tier) ? tier[0].toUpperCase() + tier.slice(1) : "By name";
}
