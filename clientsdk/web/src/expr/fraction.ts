/** An exact number in lowest terms; the denominator is positive. */
export interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}

/** Numbers beyond it are no answer, so that reckoning stays short (R106). */
const LIMIT = 2n ** 1000n;

/** The fraction n/d in lowest terms; null if d is 0 or a part has more than 1,000 bits. */
export function fraction(n: bigint, d = 1n): Fraction | null {
  if (d === 0n) {
    return null;
  }
  const by = gcd(n < 0n ? -n : n, d < 0n ? -d : d) * (d < 0n ? -1n : 1n);
  const x = { n: n / by, d: d / by };
  return (x.n < 0n ? -x.n : x.n) < LIMIT && x.d < LIMIT ? x : null;
}

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) {
    [a, b] = [b, a % b];
  }
  return a;
}

export const add = (a: Fraction, b: Fraction) => fraction(a.n * b.d + b.n * a.d, a.d * b.d);
export const subtract = (a: Fraction, b: Fraction) => fraction(a.n * b.d - b.n * a.d, a.d * b.d);
export const multiply = (a: Fraction, b: Fraction) => fraction(a.n * b.n, a.d * b.d);
export const divide = (a: Fraction, b: Fraction) => fraction(a.n * b.d, a.d * b.n);

/** What is left of a when it is divided by b, with the sign of a. */
export function remainder(a: Fraction, b: Fraction): Fraction | null {
  return b.n === 0n ? null : fraction((a.n * b.d) % (b.n * a.d), a.d * b.d);
}

export function compareFractions(a: Fraction, b: Fraction): number {
  const [x, y] = [a.n * b.d, b.n * a.d];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Drops what is behind the point, towards zero. */
export const truncated = (x: Fraction): bigint => x.n / x.d;

/** The greatest whole number not above n/d; d is positive. */
export function floor(n: bigint, d: bigint): bigint {
  const q = n / d;
  return n < 0n && q * d !== n ? q - 1n : q;
}

/** Rounds to so many decimals, halves to the greater number: the result times 10^decimals. */
export function scaledHalfUp(x: Fraction, decimals: number): bigint {
  return floor(2n * x.n * 10n ** BigInt(decimals) + x.d, 2n * x.d);
}

/** Writes a number as a decimal with at most so many digits behind the point. */
export function decimalText(x: Fraction, places: number): string {
  const scaled = scaledHalfUp(x, places);
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(places + 1, "0");
  const behind = digits.slice(digits.length - places).replace(/0+$/, "");
  const text = digits.slice(0, digits.length - places) + (behind === "" ? "" : "." + behind);
  return scaled < 0n ? "-" + text : text;
}

/** Reads digits with a point or none among or around them, and a minus or none before. */
export function parseDecimal(s: string): Fraction | null {
  const m = /^(-?)(\d*)\.?(\d*)$/.exec(s);
  if (m === null || s.length > 40) {
    return null;
  }
  const [, minus = "", before = "", behind = ""] = m;
  if (before + behind === "") {
    return null;
  }
  const n = BigInt(before + behind);
  return fraction(minus === "" ? n : -n, 10n ** BigInt(behind.length));
}

/** Reads a JSON number (R14): at most 40 characters, with an exponent within ±30. */
export function parseJSONNumber(s: string): Fraction | null {
  const m = /^(-?\d+(?:\.\d+)?)(?:[eE]([+-]?)0*(\d*))?$/.exec(s);
  if (m === null || s.length > 40) {
    return null;
  }
  const [, digits = "", sign = "", exponent = ""] = m;
  const by = Number(exponent === "" ? "0" : exponent);
  const x = parseDecimal(digits);
  if (x === null || by > 30) {
    return null;
  }
  return sign === "-" ? fraction(x.n, x.d * 10n ** BigInt(by)) : fraction(x.n * 10n ** BigInt(by), x.d);
}
