/** A word as a shell reads it: in quotes where it has other signs than letters, digits and those of a path or an option. */
export const quoted = (word: string): string =>
  /^[\w./:=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
