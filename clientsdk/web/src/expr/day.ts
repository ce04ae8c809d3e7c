// Calendar days are numbers such as 20200131, counted in China Standard Time (R51, R112).

/** Integers of the protocol lie within ±(2^53−1). */
export const MAX = 9007199254740991;

export const DAY_MILLIS = 86_400_000;
const AHEAD = 8 * 3_600_000;

/** 0001-01-01 and 9999-12-31, counted from 1970-01-01. */
export const FIRST_DAY = -719162;
export const LAST_DAY = 2932896;

// A calendar of years that begin in March repeats itself after an era of 400 years. The
// first era began on 0000-03-01, so many days before 1970.
const ERA_DAYS = 146097;
const BEFORE_EPOCH = 719468;

/** Counts days from 1970-01-01. */
export function dayNumber(day: number): number {
  let y = Math.floor(day / 10000);
  let m = Math.floor(day / 100) % 100;
  if (m <= 2) {
    y--;
    m += 12;
  }
  const ofEra = y % 400;
  const ofYear = Math.floor((153 * (m - 3) + 2) / 5) + (day % 100) - 1;
  return Math.floor(y / 400) * ERA_DAYS + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - BEFORE_EPOCH;
}

/** The day of such a count; null beyond the years 1 to 9999. */
export function dayNumbered(n: number): number | null {
  if (n < FIRST_DAY || n > LAST_DAY) {
    return null;
  }
  const all = n + BEFORE_EPOCH;
  const era = Math.floor(all / ERA_DAYS);
  const ofEra = all % ERA_DAYS;
  const year = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36524) - Math.floor(ofEra / (ERA_DAYS - 1))) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const march = Math.floor((5 * ofYear + 2) / 153);
  const d = ofYear - Math.floor((153 * march + 2) / 5) + 1;
  const m = march < 10 ? march + 3 : march - 9;
  const y = era * 400 + year + (march < 10 ? 0 : 1);
  return y * 10000 + m * 100 + d;
}

/** The day of an instant; null beyond the years 1 to 9999. */
export function dayOf(at: number): number | null {
  return dayNumbered(Math.floor((at + AHEAD) / DAY_MILLIS));
}

/** Reads 2020-01-31. */
export function parseDay(s: string): number | null {
  const m = /^(\d{4})-(\d\d)-(\d\d)$/.exec(s);
  if (m === null) {
    return null;
  }
  const day = Number(m[1]) * 10000 + Number(m[2]) * 100 + Number(m[3]);
  const valid = day >= 10101 && Number(m[2]) >= 1 && Number(m[2]) <= 12 && Number(m[3]) >= 1;
  return valid && dayNumbered(dayNumber(day)) === day ? day : null;
}

export function formatDay(day: number): string {
  const digits = String(day).padStart(8, "0");
  return `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
}

/** The first instant of a day. */
export const startOf = (day: number): number => dayNumber(day) * DAY_MILLIS - AHEAD;

/** What may stand behind a % in a format. */
const SIGNS = "YmndeHMS";

export function validFormat(format: string): boolean {
  for (let i = 0; i < format.length; i++) {
    if (format[i] === "%") {
      const sign = format[++i];
      if (sign === undefined || !SIGNS.includes(sign)) {
        return false;
      }
    }
  }
  return true;
}

/** Writes an instant in China Standard Time; "" beyond the years 1 to 9999. */
export function formatInstant(at: number, format: string): string {
  const day = dayOf(at);
  if (day === null) {
    return "";
  }
  const seconds = Math.floor((((at + AHEAD) % DAY_MILLIS) + DAY_MILLIS) % DAY_MILLIS / 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  const month = Math.floor(day / 100) % 100;
  const parts: Readonly<Record<string, string>> = {
    Y: formatDay(day).slice(0, 4), m: two(month), n: String(month), d: two(day % 100), e: String(day % 100),
    H: two(Math.floor(seconds / 3600)), M: two(Math.floor(seconds / 60) % 60), S: two(seconds % 60),
  };
  return format.replace(/%(.)/gs, (_, sign: string) => parts[sign] ?? "");
}
