/** Mutants that no test can find, by their keys, each with the reason: what they compute is the same. */
export const equivalent: Readonly<Record<string, string>> = {}
