// Numbers, times and names as a person reads them.

const clockTime = new Intl.DateTimeFormat([], {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const day = new Intl.DateTimeFormat([], { weekday: "short", year: "numeric", month: "short", day: "numeric" });

/** `09:41:07` */
export const timeOf = (date) => clockTime.format(new Date(date));

/** `.120` */
export const millisecondsOf = (date) => `.${String(new Date(date).getMilliseconds()).padStart(3, "0")}`;

/** `Sat, Jan 24, 2026` */
export const dayOf = (date) => day.format(new Date(date));

/** The time alone where it is today's, else with its day. */
export function momentOf(date, now = new Date()) {
  return dayOf(date) === dayOf(now) ? timeOf(date) : `${dayOf(date)}, ${timeOf(date)}`;
}

const number = new Intl.NumberFormat("en");

export const numberOf = (value) => number.format(value);

/** `+1` or `−10`; nothing for 0. */
export function signed(credits) {
  if (credits === 0) return "";
  return credits > 0 ? `+${numberOf(credits)}` : `−${numberOf(-credits)}`;
}

export const plural = (count, one, many = `${one}s`) => `${numberOf(count)} ${count === 1 ? one : many}`;

export function bytesOf(size) {
  if (size < 1024) return plural(size, "byte");
  return size < 1024 ** 2 ? `${(size / 1024).toFixed(1)} KB` : `${(size / 1024 ** 2).toFixed(1)} MB`;
}

const SPANS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

/** `1 day 2 hours`: the two largest units. */
export function spanOf(seconds) {
  let rest = Math.round(Math.abs(seconds));
  const words = [];
  for (const [length, name] of SPANS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count) words.push(plural(count, name));
  }
  return words.slice(0, 2).join(" ") || "less than a second";
}

/** `1d`, `2h`: the largest unit, short. */
export function shortSpanOf(seconds) {
  const [length, name] = SPANS.find(([length]) => Math.abs(seconds) >= length) ?? SPANS.at(-1);
  return `${Math.round(Math.abs(seconds) / length)}${name[0]}`;
}

/** `3rd` */
export function ordinal(count) {
  const tail = count % 100 > 10 && count % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][count % 10] ?? "th";
  return `${numberOf(count)}${tail}`;
}
