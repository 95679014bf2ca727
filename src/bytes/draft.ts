/** Drafts: values made by a table, which alone knows their keys. */

/** A value on its way. */
export class Draft<A> {
  private readonly value: Record<string, unknown> = {}

  set(key: string, value: unknown): void {
    this.value[key] = value
  }

  /** The value, once every key is set: the table that set them answers for the type. */
  done(): A
  done(): unknown {
    return this.value
  }
}
