// The little of node that the tests use, so that no package is needed for it.

declare module "node:fs" {
  export function readdirSync(path: URL): string[];
  export function readFileSync(path: URL, encoding: "utf8"): string;
}

declare module "node:test" {
  export function test(name: string, run: () => void): Promise<void>;
}

declare module "node:assert/strict" {
  interface Assert {
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    equal(actual: unknown, expected: unknown, message?: string): void;
    ok(value: unknown, message?: string): void;
  }
  const assert: Assert;
  export default assert;
}

interface ImportMeta {
  readonly url: string;
}

declare class URL {
  constructor(path: string, base: string | URL);
}
